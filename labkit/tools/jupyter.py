"""`labkit lab`: JupyterLab on the repository, with the first notebook open."""

from __future__ import annotations

import errno
import os
import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from labkit import project
from labkit.errors import LabError, UsageError
from labkit.tools import ports

FIRST = "/lab/tree/notebooks/00_start.ipynb"
PORT, MORE_PORTS = 8888, 50
HIDDEN = ("__pycache__", "*.pyc", "*.egg-info", ".DS_Store", "*~")


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="The port. Default: 8888, or the next free one.")
@click.option("--no-browser", is_flag=True, help="Don't open a browser. Print the address.")
def lab(port: int | None, no_browser: bool) -> None:
    """Start the local AWS, and open the notebooks in JupyterLab.

    JupyterLab's root is the repository, so that the files that the notebooks name open with a click. It listens on this
    machine only. Where no browser can be opened, it prints the address to open.
    """
    if not project.is_checkout():
        raise UsageError(
            "labkit lab opens the notebooks of a checkout, but this is an installed wheel.",
            fix="Take a checkout and run make lab there. labkit run works here: it executes the notebooks.",
        )
    if port and (refusal := ports.refusal(port)):
        why = "is in use" if refusal.errno == errno.EADDRINUSE else f"can't be used: {refusal.strerror}"
        raise LabError(f"Port {port} {why}.", fix="Name another one, or leave --port out: labkit lab")
    from labkit.lab import Lab

    Lab().up()
    _serve(project.PACKAGE.parent, port, browser=not no_browser and _has_browser())


def _serve(root: Path, port: int | None, *, browser: bool) -> None:
    """Run JupyterLab until somebody stops it."""
    settings = str(Path(__file__).parent / "jupyter_config")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, (settings, os.environ.get("JUPYTER_CONFIG_PATH"))))
    from jupyterlab.labapp import LabApp

    # A token of our own: for one that it makes itself, Jupyter prints a message with three addresses.
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(24)
    server = LabApp.initialize_server(argv=_arguments(root, port, token, browser=browser))
    # After the callback that binds the port: from then on the address answers.
    server.io_loop.add_callback(_announce, server, token, browser=browser)
    server.start()


def _arguments(root: Path, port: int | None, token: str, *, browser: bool) -> list[str]:
    arguments = [
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url={FIRST}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port or PORT}",
        f"--ServerApp.port_retries={0 if port else MORE_PORTS}",
        f"--ServerApp.open_browser={browser}",
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
        f"--IdentityProvider.token={token}",
        *(f"--ContentsManager.hide_globs={pattern}" for pattern in HIDDEN),
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if not _has_display():  # then $BROWSER is an editor's helper, which can't open the file that hides the token
        arguments.append("--ServerApp.use_redirect_file=False")
    if os.geteuid() == 0:  # usual in a container, where Jupyter would otherwise refuse to start
        arguments.append("--ServerApp.allow_root=True")
    return arguments


def _announce(server: Any, token: str, *, browser: bool) -> None:
    address = urlsplit(server.local_url)._replace(query=f"token={token}").geturl()  # Jupyter's hides the token
    click.echo(
        "JupyterLab opens in your browser, or at this address:" if browser else "Open this address in a browser:"
    )
    click.echo(f"\n    {address}\n")
    if not browser:
        click.echo(f"If your browser is on another machine, forward port {server.port} from there first.")
    click.echo("Ctrl-C stops JupyterLab. What runs on the local AWS goes on: labkit down stops it.")


def _has_browser() -> bool:
    """Whether a browser can be opened. Without a display, Jupyter would open a text browser in this terminal."""
    return _has_display() or bool(os.environ.get("BROWSER"))


def _has_display() -> bool:
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
