"""Which operations and parameters the embedded AWS supports: one table for each service."""
