"""Benchmarks: medians, and ratios to a floor measured in the same run. Times alone drift with the machine."""
