"""CloudWatch Logs, with the events in a file that grows, and not in the state, which is saved as a whole."""
