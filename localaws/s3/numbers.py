"""The numbers in a request's query and headers: a value that is not a number, or is out of range, is refused.

For example: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from __future__ import annotations

import re

from localaws.core.call import S3Call
from localaws.iam.refusals import Refused

_MOST = (1 << 31) - 1
_PART = "partNumber"
_NUMBERS = {
    "max-keys": ("maxKeys", 0, _MOST),
    "max-uploads": ("max-uploads", 0, _MOST),
    "max-parts": ("max-parts", 0, _MOST),
    "part-number-marker": ("part-number-marker", 0, _MOST),
    "max-buckets": ("max-buckets", 1, 10_000),
    "x-amz-max-parts": ("max-parts", 0, _MOST),
    "x-amz-part-number-marker": ("part-number-marker", 0, _MOST),
    _PART: (_PART, 1, 10_000),
}


def check(call: S3Call) -> None:
    """Check the numbers of a request. Raise Refused if one is not a number, or is out of range."""
    for name, (shown, least, most) in _NUMBERS.items():
        given = (call.headers if name.startswith("x-amz-") else call.parameters).get(name)
        if given is not None:
            _check(name, shown, str(given), least, most)


def _check(name: str, shown: str, given: str, least: int, most: int) -> None:
    if name == _PART:
        if not re.fullmatch(r"[+-]?[0-9]{1,10}", given) or not least <= int(given) <= most:
            raise _invalid(f"Part number must be an integer between {least} and {most}, inclusive", name, given)
        return
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", given) or not -_MOST <= int(given) <= _MOST:
        raise _invalid(f"Provided {name} not an integer or within integer range", name, given)
    if not least <= int(given) <= most:
        raise _invalid(f"Argument {shown} must be an integer between {least} and {most}", shown, given)


def _invalid(message: str, name: str, given: str) -> Refused:
    return Refused(400, "InvalidArgument", message, {"ArgumentName": name, "ArgumentValue": given})
