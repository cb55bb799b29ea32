"""Secrets Manager: moto's, with the refusals that it leaves out."""
