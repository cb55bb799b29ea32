"""CloudWatch Logs with its events in a file that grows, instead of in the state that is saved whole."""
