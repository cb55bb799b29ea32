"""Amazon Redshift: its control plane, clusters that really run, COPY and UNLOAD, and the Data API."""
