"""Log lines as ECS JSON on stderr, with the trace they belong to and without any secret.

Source: Elastic Common Schema 8, fields `@timestamp`, `log.level`, `message`, `trace.id`, `error.*`.
"""

import logging
import re
import sys
from collections.abc import Collection, Mapping, MutableMapping
from typing import Any, TextIO

import msgspec
import structlog

from ai_agent_mesh.plumbing.observe.trace import current

#: A field with such a name is a secret whatever it holds.
_SECRET_NAME = re.compile(
    r"authorization|password|passwd|secret|credential|cookie|api[_-]?key|private[_-]?key"
    r"|(^|[_.-])(access|refresh|id|bearer|auth|session)[_-]?token$|^token$",
    re.IGNORECASE,
)
#: Text that is a secret wherever it stands: our keys, bearer and basic values, private keys and the
#: password of an address.
_SECRET_TEXT = re.compile(
    r"mesh_[A-Za-z0-9]{4,}_[A-Za-z0-9_-]{8,}"
    r"|(?i:\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\bsk-[A-Za-z0-9_-]{16,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
)
_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@", re.IGNORECASE)
HIDDEN = "[hidden]"
_DEEPEST = 8

Event = MutableMapping[str, Any]  # structlog's own: a log line's fields are whatever is logged


def configure(level: str = "INFO", stream: TextIO | None = None, service: str = "mesh") -> None:
    """Send every log line of this process, the libraries' own too, through this module.

    `level` is a name such as `INFO`; an unknown one counts as `INFO`.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    shared = [structlog.stdlib.add_log_level, _named(service), _traced]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                *shared,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _ecs,
                redacted,
                _json,
            ],
        )
    )
    known = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    logging.basicConfig(handlers=[handler], level=known, force=True)
    # Its lines at INFO repeat each outgoing address, query and all.
    logging.getLogger("httpx").setLevel(max(known, logging.WARNING))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(known),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose lines carry `log.logger` = `name`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name, **{"log.logger": name})
    return logger


def redacted(_logger: object, _method: str, event: Event) -> Event:
    """Return the fields with every secret replaced, at any depth."""
    return {key: _clean(key, value, 0) for key, value in event.items()}


def _clean(key: str, value: object, depth: int) -> object:
    if value is not None and _SECRET_NAME.search(key):
        return HIDDEN
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _clean_inside(value, depth + 1) if depth < _DEEPEST else "[too deep]"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    plain = value is None or isinstance(value, bool | int | float)
    return value if plain else clean_text(str(value))


def _clean_inside(value: Mapping[Any, Any] | Collection[Any], depth: int) -> object:
    if isinstance(value, Mapping):
        named = ((str(name), item) for name, item in value.items())
        return {clean_text(name): _clean(name, item, depth) for name, item in named}
    return [_clean("", item, depth) for item in value]


def clean_text(text: str) -> str:
    """Return the text without the secrets that can be told by their shape.

    >>> clean_text("Authorization: Bearer mesh_1a2b3c_0123456789abcdef")
    'Authorization: [hidden]'
    """
    return _ADDRESS.sub(rf"\1{HIDDEN}@", _SECRET_TEXT.sub(HIDDEN, text))


def _named(service: str) -> structlog.types.Processor:
    def processor(_logger: object, _method: str, event: Event) -> Event:
        event["service.name"] = service
        return event

    return processor


def _traced(_logger: object, _method: str, event: Event) -> Event:
    trace = current()
    if trace is not None:
        event["trace.id"] = trace.trace_id
        event["span.id"] = trace.span_id
        if trace.request_id is not None:
            event["http.request.id"] = trace.request_id
    return event


def _ecs(_logger: object, _method: str, event: Event) -> Event:
    """Give our names those of the Elastic Common Schema."""
    ecs: dict[str, Any] = {  # the fields of a log line are whatever is logged
        "@timestamp": structlog.processors.TimeStamper(fmt="iso", utc=True)(None, "", {})[
            "timestamp"
        ],
        "log.level": event.pop("level", "info"),
        "message": str(event.pop("event", "")),
        "ecs.version": "8.11.0",
    }
    if (name := event.pop("logger", None)) is not None:
        ecs["log.logger"] = name
    if (trace := event.pop("exception", None)) is not None:
        ecs["error.stack_trace"] = trace
    return {**ecs, **event}


def _json(_logger: object, _method: str, event: Event) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
