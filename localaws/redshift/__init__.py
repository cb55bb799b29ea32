"""Redshift's control plane: clusters that really run."""
