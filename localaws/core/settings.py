"""What a lab's user can turn off or on. A home keeps it, no request can set it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The settings of one home, as they are until somebody changes them."""

    enforce_iam: bool = True
    """Whether IAM's policies are enforced."""
    verify_signatures: bool = True
    """Whether requests must be signed with the secret of the key that they name."""
    allow_unproven: bool = False
    """Whether operations that the embedded AWS does not vouch for are answered, by moto, and marked."""
