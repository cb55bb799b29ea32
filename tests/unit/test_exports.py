"""The packages export exactly the names that they declare."""

from __future__ import annotations

import importlib
import types

import pytest


@pytest.mark.parametrize("package", ["labkit", "localaws"])
def test_the_public_names_are_those_in_dunder_all(package: str) -> None:
    module = importlib.import_module(package)
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and name != "annotations"
    }
    assert public == set(module.__all__)
    assert list(module.__all__) == sorted(module.__all__)


@pytest.mark.parametrize("package", ["labkit", "localaws"])
def test_every_public_name_has_a_docstring(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__doc__
    for name in module.__all__:
        assert (getattr(module, name).__doc__ or "").strip(), f"{package}.{name} has no docstring"
