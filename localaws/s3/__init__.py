"""S3 on files: a body is a file, an index beside it knows the keys, and events start what listens."""
