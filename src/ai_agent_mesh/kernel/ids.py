"""Ids are TypeIDs: a prefix that says what it names, and a UUIDv7 that sorts by time.

Source: TypeID specification 0.3 (jetify) and RFC 9562 section 5.7.
"""

import os
import re
import time

from ai_agent_mesh.kernel.errors import Fault, Invalid

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_SHAPE = re.compile(r"[a-z]{1,16}_[0-7][0-9a-hjkmnp-tv-z]{25}")


class MalformedId(Invalid):
    """{text!r} is not an id of the form {prefix}_…"""


def new_id(prefix: str) -> str:
    """Return a fresh id such as `agt_01k…`; later ids sort after earlier ones by millisecond."""
    value = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10), "big")
    value &= ~(0xF << 76) & ~(0x3 << 62)
    return f"{prefix}_{_base32(value | 0x7 << 76 | 0x2 << 62)}"


def check_id(prefix: str, text: str, place: str = "id") -> str:
    """Return `text` when it is an id with this prefix.

    Raises:
        MalformedId: it is anything else.
    """
    if not (_SHAPE.fullmatch(text) and text.startswith(prefix + "_")):
        reason = f"must be an id of the form {prefix}_ and 26 characters"
        raise MalformedId(text=text[:80], prefix=prefix, faults=[Fault(place, reason)])
    return text


def _base32(value: int) -> str:
    """Encode 128 bits as 26 Crockford digits.

    >>> _base32(0)
    '00000000000000000000000000'
    >>> _base32(0x0188BAC74AFA78AA_BC3BBD1EEF28D881)
    '01h2xcejqtf2nbrexx3vqjhp41'
    """
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
