"""What an answer of the peer means, and how long to wait before the next attempt. Pure.

Source: opentelemetry-proto docs/specification.md, «OTLP/gRPC Response», «OTLP/gRPC Throttling».
"""

from collections.abc import Callable
from enum import Enum, auto

from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from spansieve.config_exporters import Retry


class Verdict(Enum):
    """What to do with a batch that was not accepted."""

    RETRY = auto()
    SPLIT = auto()  # the peer found it too large
    REFUSED = auto()  # for good


_RETRYABLE = frozenset({"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"})


LEAST_LIMIT = 64 * 1024
"""Bytes that every peer takes in one message: gRPC's own limit is 4 MiB, and nobody sets one far below."""


def judge(code: str, retry_info: float | None, size: int) -> Verdict:
    """Judge a gRPC status code, by name, and the delay of the RetryInfo that came with it, if any.

    `size` is that of the message, in bytes. RESOURCE_EXHAUSTED with RetryInfo is a peer that recovers. Without, it is a
    message over the peer's limit; or, where it is so small, a peer that is short of something else, such as Tempo's
    limit of a rate, and does not say for how long: what is owed is not given up for that, as it would be by the letter.
    """
    if code in _RETRYABLE:
        return Verdict.RETRY
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
        """Seconds until the next attempt: our own interval, or what the peer asked for when that is longer."""
        settings = self._settings
        spread = settings.randomization_factor * (2 * self._random() - 1)
        delay = min(self._interval * (1 + spread), settings.max_interval)
        self._interval = min(self._interval * settings.multiplier, settings.max_interval)
        return max(delay, retry_info or 0.0)
