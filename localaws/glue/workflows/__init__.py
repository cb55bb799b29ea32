"""Triggers and workflow runs: starts crawlers and jobs, and reacts to how they end."""
