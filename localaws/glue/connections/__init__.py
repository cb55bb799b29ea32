"""Connections: how a crawler or a job reaches a database in a VPC."""
