"""What an evidence bundle is made of: lines of JSON that prove one statement to anybody."""

import base64
import re
import zlib
from datetime import timedelta
from typing import Annotated, Literal

import msgspec

from ai_agent_mesh.evidence import (
    Batch,
    End,
    Key,
    Line,
    MinutesSeal,
    Moment,
    PlaybookText,
    Signs,
    TenantHead,
    Whole,
)
from ai_agent_mesh.operations.statements.statement import Signature, Statement
from ai_agent_mesh.sla import Category, Service

#: What the signed bytes of a statement begin with, so that they are nothing else's.
_PREFIX = b"ai-agent-mesh statement v1\n"
_CARRIED = re.compile(rb'<script type="application/octet-stream" id="evidence">([^<]*)</script>')
_Minute = Annotated[int, msgspec.Meta(ge=0, lt=60)]
_ENCODER = msgspec.json.Encoder(order="sorted")


class Stated(msgspec.Struct, frozen=True, tag_field="type", tag="statement"):
    """The first line: a statement's canonical text, verbatim, and its signature."""

    text: str
    key_id: str
    signature: bytes
    version: Literal[1]


class MinutesLine(msgspec.Struct, frozen=True, tag_field="type", tag="minutes"):
    """The roll-ups of an hour: for each minute with calls its number in the hour, then calls,
    valid, bad, timed, and within p50, p95, p99."""

    tenant: str
    service: Service
    category: Category
    since: Moment
    counts: list[tuple[_Minute, Whole, Whole, Whole, Whole, Whole, Whole, Whole]]


Piece = Stated | PlaybookText | MinutesLine | MinutesSeal | TenantHead | Key | Batch | Line | End

HOUR = timedelta(hours=1)
#: Bytes that the evidence of a page may come to; a longer bundle is a file of its own.
LARGEST = 256 * 1024 * 1024
_GZIP = 31  # zlib's word for: with the header and the checksum of gzip
decoder = msgspec.json.Decoder(Piece)


def line(piece: Piece) -> bytes:
    """Return a piece as a line, ended by a line feed."""
    return _ENCODER.encode(piece) + b"\n"


def canonical(statement: Statement) -> bytes:
    """Return the bytes that stand for a statement: UTF-8 JSON, keys sorted, no white space, and
    without its signature."""
    return _ENCODER.encode(msgspec.structs.replace(statement, signature=msgspec.UNSET))


def signed_text(text: bytes) -> bytes:
    """Return what a statement's signature covers: a line that says so, then its canonical bytes."""
    return _PREFIX + text


def signed(statement: Statement, signer: Signs) -> Statement:
    """Return a statement with its Ed25519 signature."""
    made = signer.sign(signed_text(canonical(statement)))
    return msgspec.structs.replace(statement, signature=Signature(signer.key_id, made))


def opened(stated: Stated) -> Statement:
    """Return the signed statement that a bundle begins with."""
    told = msgspec.json.decode(stated.text, type=Statement)
    return msgspec.structs.replace(told, signature=Signature(stated.key_id, stated.signature))


def carried(page: bytes) -> list[bytes]:
    """Return the lines of the bundle that a statement's page carries, each with its line feed.

    There are none in any other file, nor in what unpacks to more than `LARGEST`.
    """
    found = _CARRIED.search(page)
    try:
        packed = zlib.decompressobj(wbits=_GZIP)
        text = packed.decompress(base64.b64decode(found[1]), LARGEST) if found else b""
    except (ValueError, zlib.error):
        return []
    return text.splitlines(keepends=True) if packed.eof else []
