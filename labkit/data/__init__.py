"""What the lab asks of its data: what has landed, what is loaded, what was rejected, what the logs say."""
