"""Makes `python -m labkit` the same as `labkit`."""

from labkit.tools.cli import main

main()
