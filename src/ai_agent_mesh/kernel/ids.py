"""Ids are TypeIDs: a prefix that says what it names, and a UUIDv7 that sorts by time.

Source: TypeID specification 0.3 (jetify) and RFC 9562 sections 5.7 and 6.2 (method 3).
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
    """Return a fresh id such as `agt_01k…`; later ids of a process sort after earlier ones.

    The twelve bits after the millisecond tell its 4096ths, so the order is that of the clock to a
    quarter of a microsecond.
    """
    millisecond, rest_ns = divmod(time.time_ns(), 1_000_000)
    head = millisecond << 16 | 0x7 << 12 | rest_ns * 4096 // 1_000_000
    tail = 0x2 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    return f"{prefix}_{_base32(head << 64 | tail)}"


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
    return "".join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])


# Two digits at a time, since every call makes several ids.
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_SHIFTS = tuple(range(120, -1, -10))
