"""Lambda functions that really run, in worker processes, with AWS's own runtime client."""
