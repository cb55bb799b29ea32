"""Reads the lab's data: what has landed, what is loaded, what was rejected, and the logs."""
