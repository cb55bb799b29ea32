"""The crawler: looks at data where it lies, and writes what it saw into the catalog."""
