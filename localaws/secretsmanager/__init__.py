"""Secrets Manager: moto's, with the checks that it leaves out."""
