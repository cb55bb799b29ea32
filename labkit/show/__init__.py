"""What people look at: displays, the picture of the pipeline, waiting with progress, exercises."""
