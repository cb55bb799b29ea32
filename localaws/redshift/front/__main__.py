"""`python -m localaws.redshift.front CONFIGURATION READY_FD`: the process that a cluster's clients connect to.

When it listens, it writes a byte to READY_FD and closes it. If READY_FD is closed without a byte, it has failed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from localaws.redshift.front.configuration import FrontConfiguration
from localaws.redshift.front.server import Front
from localaws.redshift.sql.statements import SpecialStatements


def _copy() -> SpecialStatements:
    # Imported later: boto3 and psycopg take longer to import than everything else that the front needs to listen.
    from localaws.redshift import copy

    return copy


async def _serve(configuration: FrontConfiguration, ready: int) -> None:
    def listening() -> None:
        os.write(ready, b"1")
        os.close(ready)

    serving = asyncio.ensure_future(Front(configuration, _copy).serve(listening))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        logging.getLogger(__name__).info("Stopping")


def main() -> None:
    """Run until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(_serve(FrontConfiguration.read(Path(sys.argv[1])), int(sys.argv[2])))
    # Don't wait for threads: a COPY may be waiting for the network. Closing its connection rolls its transaction back.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
