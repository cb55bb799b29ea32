"""Find what does not work in a running lab, and heal it if its cause is gone."""

from __future__ import annotations

from typing import Any

from moto.redshift.models import redshift_backends

from localaws.core.errors import HomeUnusable
from localaws.core.home import Home, write_durably
from localaws.core.problems import Problem
from localaws.redshift.models import LocalCluster
from localaws.server.parts import Parts

_ROOM = 256 * 1024  # bytes that must fit onto the disk


def find(home: Home, parts: Parts) -> list[Problem]:
    """Return what does not work now."""
    problems = []
    if (refusal := _disk_refusal(home)) is not None:
        problems.append(Problem("The disk", str(refusal)))
    failures = {**_never_made(), **parts.redshift.failures()}
    problems += [Problem(f"Redshift cluster {identifier}", why) for identifier, why in failures.items()]
    if why := parts.jobs.failure():
        problems.append(Problem("Glue jobs", why))
    return problems


def heal(parts: Parts) -> None:
    """Start again what had failed. `find` then finds what failed again."""
    parts.redshift.heal()
    parts.jobs.heal()


def _never_made() -> dict[str, str]:
    """Return why clusters could not be made, by cluster."""
    backends: list[Any] = [backend for _, _, backend in redshift_backends.iter_backends()]
    clusters = [
        cluster
        for backend in backends
        for cluster in list(backend.clusters.values())
        if isinstance(cluster, LocalCluster) and cluster.status == "hardware-failure"
    ]
    return {cluster.cluster_identifier: f"{cluster.failure}. Delete it, and create it again" for cluster in clusters}


def _disk_refusal(home: Home) -> HomeUnusable | None:
    """Return why nothing can be saved; None if saving works."""
    probe = home.state / "probe"
    try:
        write_durably(probe, bytes(_ROOM))
        probe.unlink()
    except OSError as error:
        return HomeUnusable(home.root, error)
    return None
