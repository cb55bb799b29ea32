"""The HTTP side of STS: moto's parsing, after checks of a session's duration and name.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

import re

from moto.core.responses import ActionResult
from moto.sts.exceptions import STSClientError
from moto.sts.responses import TokenResponse

from localaws.iam.principals import find_role

_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_SHORTEST = 900  # seconds
_LONGEST = 43_200


class LocalSTSResponse(TokenResponse):
    """Answers STS's requests."""

    def assume_role(self) -> ActionResult:
        """Create a session of a role.

        Raises:
            STSClientError: its duration is too short, or longer than the role allows, or its name is not valid.
        """
        name, seconds = str(self._get_param("RoleSessionName")), self._get_int_param("DurationSeconds")
        if not _NAME.fullmatch(name):
            raise _invalid(name, "roleSessionName", f"satisfy regular expression pattern: {_NAME.pattern}")
        if seconds is not None:
            if not _SHORTEST <= seconds <= _LONGEST:
                raise _invalid(str(seconds), "durationSeconds", f"have value between {_SHORTEST} and {_LONGEST}")
            role = find_role(str(self._get_param("RoleArn")), self.current_account)
            if role is not None and seconds > int(role.max_session_duration or 3600):
                raise STSClientError(
                    "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
                )
        return super().assume_role()


def _invalid(value: str, name: str, must: str) -> STSClientError:
    return STSClientError(
        "ValidationError",
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must {must}",
    )
