"""SQS: queues whose messages survive a restart of the server, and that wake waiting receivers."""
