"""SNS: moto's, which delivers to queues and functions that allow it, and refuses settings without an effect."""
