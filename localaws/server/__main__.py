"""`python -m localaws.server HOME [READY_FD]`: the server of one lab."""

from __future__ import annotations

import gc
import os
import sys

# Start-up makes millions of objects that stay. Garbage collection took a third of its time.
gc.disable()

from localaws.server.process import main  # noqa: E402

if __name__ == "__main__":
    status = main(sys.argv)
    sys.stdout.flush()
    # Threads that serve a slow client must not keep the process from ending.
    os._exit(status)
