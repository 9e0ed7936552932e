"""Plain words, addresses and yes or no."""

import re

from ai_agent_mesh.playbook.units.unit import Unit, Unreadable

_LONGEST = 300
_FLAGS = {"yes": True, "true": True, "no": False, "false": False}


def _read_text(text: str) -> str:
    if not text.strip():
        raise Unreadable("is empty")
    if len(text) > _LONGEST:
        raise Unreadable(f"is longer than {_LONGEST} characters")
    if not text.isprintable():
        raise Unreadable("holds characters that cannot be printed")
    return text


def _read_url(text: str) -> str:
    if not re.fullmatch(r"https?://[\w.-]+(:\d+)?(/\S*)?", text, re.ASCII):
        raise ValueError
    return text


def _read_email(text: str) -> str:
    if not re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", text, re.ASCII):
        raise ValueError
    return text


def _read_flag(text: str) -> bool:
    try:
        return _FLAGS[text.lower()]
    except KeyError:
        raise ValueError from None


TEXT = Unit[str]("some words on one line", _read_text, str)
URL = Unit[str]("an address such as https://status.example.com", _read_url, str)
EMAIL = Unit[str]("an e-mail address", _read_email, str)
FLAG = Unit[bool]("yes or no", _read_flag, bool)
