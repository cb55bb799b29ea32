"""The Data Catalog: databases, tables and partitions."""
