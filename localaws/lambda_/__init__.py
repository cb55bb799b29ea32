"""Lambda: moto's control plane, with functions that really run."""
