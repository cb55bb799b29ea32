"""S3 on files: each body is a file, an index beside them has the keys, and events go to their destinations."""
