"""The errors that cross the gateway's parts; everything else stays where it happens.

    GatewayError
    ├── MalformedRequest   the sender's fault, for good: INVALID_ARGUMENT / 400
    ├── TooLarge           the same: RESOURCE_EXHAUSTED without RetryInfo / 413
    └── Unavailable        ours, for now: UNAVAILABLE with RetryInfo / 503 with Retry-After

Their messages are shown to senders and written to logs: they name the field and the rule, never a value.
"""


class GatewayError(Exception):
    """Why a whole request was refused."""


class MalformedRequest(GatewayError):
    """A body that is not an OTLP request. `field` is the path of what is wrong, empty when that is not known."""

    def __init__(self, description: str, field: str = "") -> None:
        super().__init__(description)
        self.description = description
        self.field = field


class TooLarge(GatewayError):
    """A body over a limit, before or after inflation. Never retryable: the same body will always be too large."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request is larger than the limit of {limit} bytes, which counts after decompression.")


class Unavailable(GatewayError):
    """The gateway cannot take the request now. `retry_after` is in seconds; `reason` is a label of the metrics."""

    def __init__(self, description: str, reason: str, retry_after: float) -> None:
        super().__init__(description)
        self.description = description
        self.reason = reason
        self.retry_after = retry_after
