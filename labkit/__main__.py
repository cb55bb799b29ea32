"""`python -m labkit` is `labkit`."""

from labkit.tools.cli import main

main()
