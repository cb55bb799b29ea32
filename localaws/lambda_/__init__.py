"""Lambda: moto's control plane, whose functions really run."""
