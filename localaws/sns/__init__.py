"""SNS: moto's, which delivers to queues and functions that let it in, and takes no setting without an effect."""
