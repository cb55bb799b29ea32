"""EC2: moto's, after checks of each request."""
