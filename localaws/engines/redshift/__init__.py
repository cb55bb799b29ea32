"""The Redshift engine."""
