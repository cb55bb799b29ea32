"""Secrets Manager: moto's, in which a secret that is to be deleted takes nothing more."""
