"""SQS: queues whose messages outlive the server, and which wake whoever waits for them."""
