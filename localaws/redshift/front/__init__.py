"""The front of a cluster: the proxy that clients connect to, between them and PostgreSQL."""
