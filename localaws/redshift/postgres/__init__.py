"""The PostgreSQL servers behind the clusters."""
