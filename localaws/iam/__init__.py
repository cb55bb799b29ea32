"""IAM, enforced: who sends a request, what does it need, and do the policies allow it?

::

    gate.py         each request over HTTP: its signer, its actions, AWS's refusal
    enforcement.py  what engines do on a role's behalf inside the server: `require`, `permits`
    decision.py     the decision over identity, boundary, session and resource policies
    principals.py   which principal an access key belongs to, and which policies that principal has
    policy.py       policy documents; conditions.py, patterns.py: their conditions and wildcards
    trust.py        who may assume a role
    actions/        which actions on which resources a call of each service needs
"""

from __future__ import annotations

from localaws.iam.enforcement import AccessDenied, enforce, enforced, permits, permits_logging, require

__all__ = ["AccessDenied", "enforce", "enforced", "permits", "permits_logging", "require"]
