"""IAM, enforced: who asks, for what, and do the policies allow it?

::

    gate.py         each request over HTTP: its signer, its actions, AWS's refusal
    engines.py      what engines do on a role's behalf inside the server: `require`, `permits`
    decision.py     the decision over identity, boundary, session and resource policies
    principals.py   whose key that is, and which policies that principal has
    policy.py       policy documents; conditions.py, patterns.py: their conditions and wildcards
    trust.py        who may assume a role
    actions/        which actions on which resources a call of each service comes to
"""

from __future__ import annotations

from localaws.iam.enforcement import AccessDenied, enforce, enforced, permits, permits_logging, require

__all__ = ["AccessDenied", "enforce", "enforced", "permits", "permits_logging", "require"]
