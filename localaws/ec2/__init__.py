"""EC2: moto's, after checks of each request, and with AWS's comparison of rules."""
