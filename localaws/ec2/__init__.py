"""EC2: moto's, behind checks of each request."""
