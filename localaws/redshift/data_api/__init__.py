"""The Redshift Data API, on clusters that really run."""
