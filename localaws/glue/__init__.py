"""The Glue service: catalog by moto; crawlers, connections, jobs, triggers and workflows that really run."""
