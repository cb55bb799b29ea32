"""STS: moto's, with checks that it lacks: moto accepts any text as a session's policy."""
