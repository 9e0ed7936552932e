"""The connections of DBOS to its database: under its own role, found again soon after an outage."""

import time
from datetime import timedelta
from typing import Any

from ai_agent_mesh.plumbing.observe import get_logger
from ai_agent_mesh.plumbing.postgres import Role

_log = get_logger("jobs.links")

#: How long one try to connect may take, and how long after it comes the next.
_TRY_S = 5
_AGAIN_S = 0.5
_SILENT_S = 15


class Links:
    """Opens connections to the database at `url`, a libpq address.

    The server hangs up on one that says nothing in a transaction for `idle`: a process that was
    stopped there must not keep what it locked.
    """

    # psycopg and SQLAlchemy are imported late, and so are their types.

    def __init__(self, url: str, *, idle: timedelta) -> None:
        self._url = url
        idle_ms = idle // timedelta(milliseconds=1)
        self._options = (
            f"-c role={Role.DBOS.value} -c idle_in_transaction_session_timeout={idle_ms}"
        )

    def open(self) -> Any:
        """Return a connection; raise what psycopg raises when there is none now."""
        import psycopg

        return psycopg.connect(
            self._url,
            options=self._options,
            application_name=Role.DBOS.value,
            connect_timeout=_TRY_S,
            # Without these a server that is cut off without a word is missed after two hours.
            keepalives_idle=_SILENT_S,
            keepalives_interval=_TRY_S,
            keepalives_count=3,
            tcp_user_timeout=_SILENT_S * 1000,
        )

    def wait(self) -> Any:
        """Return a connection, however long that takes.

        DBOS itself would wait longer after each failure, up to a minute and a half: so long a
        queue would stand still after the database is back.
        """
        import psycopg

        away = False
        while True:
            try:
                link = self.open()
            except psycopg.OperationalError as error:
                if not away:
                    _log.warning("engine.database_away", reason=str(error).splitlines()[0])
                away = True
                time.sleep(_AGAIN_S)
            else:
                return link

    def pool(self) -> Any:
        """Return an SQLAlchemy engine of one connection that waits for nothing."""
        import sqlalchemy

        return sqlalchemy.create_engine(
            "postgresql+psycopg://", creator=self.open, pool_size=1, pool_pre_ping=True
        )
