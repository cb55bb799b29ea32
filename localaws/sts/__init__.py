"""STS: moto's, which takes any text for a session's policy."""
