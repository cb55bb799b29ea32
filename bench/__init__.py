"""Benchmarks: medians, and ratios to a floor measured in the same run, because times alone vary with the machine."""
