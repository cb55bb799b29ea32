"""An engine on a home of its own, for the tests of Redshift."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from localaws import certificates
from localaws.children import Children
from localaws.context import Context
from localaws.engines.redshift.engine import RedshiftEngine
from localaws.events import Bus
from localaws.home import Home
from localaws.state import State

PASSWORD = "Master-Passw0rd"


@dataclass(frozen=True)
class Lab:
    """An engine and the home that it runs in."""

    home: Home
    context: Context
    engine: RedshiftEngine


def make_lab(root: Path) -> Lab:
    home = Home.at(root)
    certificates.ensure(home)
    context = Context(home, Bus(), Children(), State(home))
    return Lab(home, context, RedshiftEngine(context))


def end_lab(lab: Lab) -> None:
    lab.engine.stop()
    lab.context.children.stop_all()
