"""moto's reset, over everything that a lab has: its test suites ask for it before and after each test.

Only a server that was started for them answers `/moto-api/`: see tests/moto_suites/README.md.
"""

from __future__ import annotations

from moto.glue.models import glue_backends
from moto.moto_api._internal import models as moto_api
from moto.moto_api._internal.models import MotoAPIBackend

from localaws import context, engines
from localaws.context import ACCOUNT_ID
from localaws.services.s3.models import backend as s3


class ResettableLab(MotoAPIBackend):
    """moto's own API, whose reset forgets what the engines and the files hold too."""

    def reset(self) -> None:
        """Forget all: each backend of this package ends what it set off, and empties its own store."""
        triggers = [
            (region, name) for region, glue in list(glue_backends[ACCOUNT_ID].items()) for name in list(glue.triggers)
        ]
        opened = s3(ACCOUNT_ID)
        opened.empty()
        store, index = opened.store, opened.index
        super().reset()
        s3(ACCOUNT_ID).take_over(store, index)
        running = engines.running()
        for region, name in triggers:
            running.workflow.schedule(region, name)
        running.functions.refresh_mappings()
        context.current().state.forget()


def register() -> None:
    """Put the lab's reset in the place of moto's."""
    moto_api.moto_api_backend = ResettableLab("global", ACCOUNT_ID)
