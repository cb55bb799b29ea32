"""SQL scripts that make a PostgreSQL database look like a Redshift one; they run in the order of their names."""
