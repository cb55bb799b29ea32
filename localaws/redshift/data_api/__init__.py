"""The Redshift Data API: runs statements on the embedded clusters."""
