"""The gateway's own log: one JSON object a line on standard error. It names things and counts them, and quotes nothing.

Other people's log messages and exceptions may quote what they choked on, so of those only the place and the type are
written: enough to find the line of code, nothing of the data.
"""

import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Protocol, TextIO

import structlog
from structlog.typing import FilteringBoundLogger

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Logger(Protocol):
    """What the parts need of a logger: an event's name, and values that are never payload."""

    def info(self, event: str, **values: object) -> object:
        """Note what is well, or ended well."""
        ...

    def warning(self, event: str, **values: object) -> object:
        """Note what may yet end well."""
        ...

    def error(self, event: str, **values: object) -> object:
        """Note what is not well, such as data that was lost."""
        ...


def configure(level: str, stream: TextIO = sys.stderr, **fields: object) -> FilteringBoundLogger:
    """Set up logging for the process and return the logger that the parts are given; each line has `fields`."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _exception_without_message,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    logger: FilteringBoundLogger = structlog.get_logger(**fields)
    root = logging.getLogger()
    root.handlers[:] = [_PlaceOnly(logger)]
    root.setLevel(max(_LEVELS[level], logging.WARNING))
    return logger


def tell_what_nobody_caught(logger: FilteringBoundLogger) -> None:
    """Log what Python would write to standard error with its message: what ends the process or a thread, or is ignored.

    For the whole process, so not for tests.
    """

    def told(event: str, error: BaseException | None) -> None:
        logger.error(event, **(frames(error) if error else {}))

    sys.excepthook = lambda _type, error, _trace: told("process_failed", error)
    threading.excepthook = lambda args: told("thread_failed", args.exc_value)
    sys.unraisablehook = lambda args: told("exception_ignored", args.exc_value)


def frames(error: BaseException) -> dict[str, Any]:
    """What may be told of an exception: its type, and the functions and lines that it passed."""
    return {"exception": type(error).__qualname__, "frames": _frames(error.__traceback__)}


def _frames(trace: TracebackType | None) -> list[str]:
    return [f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in traceback.extract_tb(trace)]


def _exception_without_message(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info
    if isinstance(error, BaseException):
        event.update(frames(error))
    return event


class _PlaceOnly(logging.Handler):
    """Passes on the warnings of libraries (uvicorn, asyncio, grpc) without their text."""

    def __init__(self, logger: FilteringBoundLogger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Write where the record came from."""
        error = record.exc_info[1] if record.exc_info else None
        self._logger.warning(
            "library_warning",
            logger=record.name,
            severity=record.levelname.lower(),
            place=f"{record.filename}:{record.lineno} {record.funcName}",
            **(frames(error) if error else {}),
        )
