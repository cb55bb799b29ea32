"""moto's reset, for everything that a lab has. moto's test suites call it before and after each test.

Only a server that was started for them answers `/moto-api/`: see tests/moto_suites/README.md.
"""

from __future__ import annotations

import os
import threading

from moto.glue.models import glue_backends
from moto.moto_api._internal import models as moto_api
from moto.moto_api._internal.models import MotoAPIBackend

from localaws.core import context
from localaws.core.context import ACCOUNT_ID
from localaws.s3.models import backend as s3


class ResettableLab(MotoAPIBackend):
    """moto's own API, whose reset also clears the engines and the files."""

    _one_at_a_time = threading.Lock()

    def reset(self) -> None:
        """Clear everything. Each backend of this package ends what it has started, and empties its own store."""
        with self._one_at_a_time:
            self._forget_all()

    def _forget_all(self) -> None:
        triggers = [
            (region, name) for region, glue in list(glue_backends[ACCOUNT_ID].items()) for name in list(glue.triggers)
        ]
        # Loading AWS's 1400 managed policies takes a second. As with moto, a test that wants them asks for them.
        os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "false"
        s3(ACCOUNT_ID).empty()
        super().reset()
        ports = context.current().ports
        for region, name in triggers:
            ports.workflows.schedule(region, name)
        ports.functions.refresh_mappings()
        context.current().state.forget()


def register() -> None:
    """Replace moto's reset with the lab's."""
    moto_api.moto_api_backend = ResettableLab("global", ACCOUNT_ID)
