"""The log: one JSON object a line, each with the id of the request it belongs to.

Only what is named here or by a caller is written: never a body, a secret or a header. JSON
escapes line breaks, so a line is always one event. [faults H-19]
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

import msgspec
import structlog

from counterfoil.kernel.ids import new_id

#: The request this task works for; empty outside of one.
request_id: ContextVar[str] = ContextVar("request_id", default="")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


def set_up_log(level: str = "info") -> None:
    """Write to standard error from `level` up; call it once a process."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _with_request,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(level, logging.INFO)),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def read_request_id(sent: bytes | None) -> str:
    """Take over a request's id where it is harmless, else make one."""
    text = sent.decode("latin-1") if sent else ""
    return text if _REQUEST_ID.match(text) else new_id()


def _with_request(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    current = request_id.get()
    if current and "request_id" not in event:
        event["request_id"] = current
    return event


def _to_json(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
