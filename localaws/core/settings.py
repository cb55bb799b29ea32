"""Settings that a lab's user can turn off or on. The home keeps them, and no request can change them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The settings of one home, with their defaults."""

    enforce_iam: bool = True
    """Whether IAM's policies are enforced."""
    verify_signatures: bool = True
    """Whether requests must be signed with the secret of the key that they name."""
    allow_unproven: bool = False
    """Whether moto answers operations that the embedded AWS does not vouch for. Such answers are marked."""
