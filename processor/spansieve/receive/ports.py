"""What the servers need of the rest of the gateway."""

from typing import Protocol

from spansieve.admission import UNKNOWN, Arrival
from spansieve.model import Answer, ReceivedRequest, Signal


class Acceptor(Protocol):
    """Takes requests into the gateway. Any error other than those named is a defect: INTERNAL, 500."""

    def admit(self, size: int, arrival: Arrival = UNKNOWN) -> None:
        """Say whether a request of so many bytes, as they are on the wire, may be read. 0 when the size is not known.

        For who can still leave it unread: `accept` does it once more. Raises Unavailable or TooLarge.
        """
        ...

    def hold(self, size: int, already: int) -> None:
        """Count so many bytes of a body whose end has not come yet, beside those of it that are counted already.

        A negative size lets go of them. Raises Unavailable when there is no room: nothing is counted then.
        """
        ...

    async def accept(self, request: ReceivedRequest, arrival: Arrival = UNKNOWN) -> Answer:
        """Admit and take a request. When this returns, the sender is told OK and the gateway owes its items a fate.

        Raises MalformedRequest, TooLarge or Unavailable.
        """
        ...


class RequestObserver(Protocol):
    """Is told of every request that a handler saw. Signal is None when the path names none."""

    def finished(self, transport: str, signal: Signal | None, code: str) -> None:
        """Count an answer: `transport` is grpc or http, `code` the gRPC status name or the HTTP status.

        A sender that went away before its answer counts as CANCELLED or 499: google.rpc.Code maps one to the other.
        """
        ...

    def failed(self, transport: str, signal: Signal | None, error: BaseException) -> None:
        """Hear of a defect. The error may hold payload: its type may be logged, its text may not."""
        ...
