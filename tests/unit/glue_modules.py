"""Loads the modules of glue/ from their files into the tests' own process, as a job would, but without Spark."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

import localaws.glue.jobs

GLUE = Path(__file__).resolve().parents[2] / "glue"
RUNTIME = Path(localaws.glue.jobs.__file__).with_name("runtime")


@contextmanager
def loaded(*names: str) -> Iterator[list[ModuleType]]:
    """Load these modules of glue/. A script is loaded without its last line, which runs it."""
    before = dict(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.syspath_prepend(str(RUNTIME))
        patch.syspath_prepend(str(GLUE))
        try:
            yield [_load(name) for name in names]
        finally:
            ours = (str(GLUE), str(RUNTIME))
            for name in [name for name in sys.modules if name not in before]:
                if str(getattr(sys.modules[name], "__file__", "") or "").startswith(ours):
                    del sys.modules[name]


def _load(name: str) -> ModuleType:
    source = GLUE / f"{name}.py"
    tree = ast.parse(source.read_text())
    if ast.unparse(tree.body[-1]) == "main()":
        tree.body.pop()
    module = ModuleType(name)
    module.__file__ = str(source)
    sys.modules[name] = module
    exec(compile(tree, str(source), "exec"), module.__dict__)
    return module
