"""What every part of the embedded AWS stands on: the home, its state, child processes, events and certificates."""
