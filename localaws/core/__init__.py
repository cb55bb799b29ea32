"""What every part of the embedded AWS builds on: the home, its state, child processes, events and certificates."""
