"""The crawler: reads data in S3 or a database, and writes the tables that it finds into the catalog."""
