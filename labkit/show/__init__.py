"""What participants see: displays, the picture of the pipeline, progress while waiting."""
