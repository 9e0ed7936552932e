"""Who in this process hears of each span as it is recorded, as handlers hear of a log line.

A listener hears of a span before its transaction is committed, so of some that are undone as well;
it is for displays elsewhere, and the table is the record.
"""

from collections.abc import Callable

from ai_agent_mesh.plumbing.observe import get_logger
from ai_agent_mesh.product.telemetry.model import SpanRecord

Listener = Callable[[str, SpanRecord], None]

_log = get_logger("telemetry")
_listeners: list[Listener] = []


def listen(listener: Listener) -> Callable[[], None]:
    """Call `listener` with tenant and span from now on; return what ends that.

    It must return at once: it is called on the way of the request that recorded the span.
    """
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def announce(tenant: str, span: SpanRecord) -> None:
    """Tell every listener; one that fails keeps neither the others nor the work from going on."""
    for listener in tuple(_listeners):
        try:
            listener(tenant, span)
        except Exception as error:  # noqa: BLE001 - see above
            _log.warning("a span listener failed", **{"error.type": type(error).__name__})
