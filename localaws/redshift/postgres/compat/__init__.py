"""SQL that makes a PostgreSQL database look like one of Redshift's; run in the order of the names."""
