"""What an answer of the peer means, and how long to wait before the next attempt. Pure.

Source: opentelemetry-proto docs/specification.md, «OTLP/gRPC Response», «OTLP/gRPC Throttling».
"""

from collections.abc import Callable
from enum import Enum, auto

from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from spansieve.config_exporters import Retry
from spansieve.export import unreachable


class Verdict(Enum):
    """What to do with a batch that was not accepted."""

    RETRY = auto()
    HOLD = auto()  # the peer takes nothing from us, whatever it is, until somebody mends that
    SPLIT = auto()  # the peer found it too large
    REFUSED = auto()  # something in it, for good
    UNWANTED = auto()  # all of its signal, for good


_RETRYABLE = frozenset({"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"})
_ABOUT_US = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "FAILED_PRECONDITION"})
"""What is said of whoever calls, of where, or of the peer's own state, and not of what was sent. OTLP lets a client
give up for these; a gateway has promised."""


_LONGEST_ADVICE_SECONDS = 300.0

LEAST_LIMIT = 64 * 1024
"""Bytes that every peer takes in one message: gRPC's own limit is 4 MiB, and nobody sets one far below."""


def judge(
    code: str, retry_info: float | None, size: int, why: str | None = None, *, is_peer_known: bool = False
) -> Verdict:
    """Judge a gRPC status code, by name, and the delay of the RetryInfo that came with it, if any.

    `why` is as `unreachable` has it: an answer that is none of gRPC's comes from whoever stands before the peer, or at
    a wrong endpoint, and is not about what was sent; but for a size that a proxy has its own limit of.

    `size` is that of the message, in bytes. RESOURCE_EXHAUSTED with RetryInfo is a peer that recovers. Without, it is a
    message over the peer's limit; or, where it is so small, a peer that is short of something else, such as Tempo's
    limit of a rate, and does not say for how long: what is owed is not given up for that, as it would be by the letter.

    UNIMPLEMENTED is a wrong endpoint, as long as nobody there took anything: `is_peer_known` says that somebody did
    take another signal. Then it is a peer that has no use for this one, and to hold it would end in taking nothing.
    """
    if code in _RETRYABLE:
        return Verdict.RETRY
    if why == unreachable.TOO_LARGE:
        code, retry_info = "RESOURCE_EXHAUSTED", None
    elif why is not None:
        return Verdict.HOLD
    if code == "UNIMPLEMENTED":
        return Verdict.UNWANTED if is_peer_known else Verdict.HOLD
    if code in _ABOUT_US:
        return Verdict.HOLD
    if code == "RESOURCE_EXHAUSTED":
        return Verdict.SPLIT if retry_info is None and size > LEAST_LIMIT else Verdict.RETRY
    return Verdict.REFUSED


def retry_info(status_details: bytes) -> float | None:
    """Read the delay in seconds from a serialized google.rpc.Status (trailer `grpc-status-details-bin`).

    None when it holds no RetryInfo, or is no Status: a peer's garbage is as good as no advice.
    """
    try:
        details = Status.FromString(status_details).details
        for detail in details:
            info = RetryInfo()
            if detail.Unpack(info):
                return float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9)
    except DecodeError:
        pass
    return None


class Backoff:
    """The waits of one batch: exponential, with jitter, so that gateways do not return to a peer all at once."""

    def __init__(self, settings: Retry, random: Callable[[], float]) -> None:
        """`random` draws from [0, 1)."""
        self._settings = settings
        self._random = random
        self._interval = settings.initial_interval

    def next(self, retry_info: float | None) -> float:
        """Seconds until the next attempt: our own interval, or what the peer asked for when that is longer.

        But for five minutes at most: a peer, or whoever answers in its place, does not silence us until a restart.
        """
        delay = self._drawn_around(self._interval)
        self._interval = min(self._interval * self._settings.multiplier, self._settings.max_interval)
        return max(delay, min(retry_info or 0.0, _LONGEST_ADVICE_SECONDS))

    def longest(self, retry_info: float | None) -> float:
        """The same where trying soon is of no use, and may have us locked out: about our longest interval."""
        self._interval = self._settings.max_interval
        return self.next(retry_info)

    def _drawn_around(self, interval: float) -> float:
        spread = self._settings.randomization_factor * (2 * self._random() - 1)
        return min(interval * (1 + spread), self._settings.max_interval)
