"""Lambda functions that really run: each in a worker process, through AWS's own runtime client."""
