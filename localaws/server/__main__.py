"""`python -m localaws.server HOME [READY_FD]`: the server of one lab."""

from __future__ import annotations

import os
import sys

from localaws.server.process import main

if __name__ == "__main__":
    status = main(sys.argv)
    sys.stdout.flush()
    # Threads that serve a slow client must not keep the process from ending.
    os._exit(status)
