"""How long calls wait inside gRPC before anybody sees them.

grpc.aio takes one call from its core in a turn of the event loop. Under more small calls than that, the others wait in
the core, where nothing of ours counts them: until their deadlines pass, or until there are a thousand and the core ends
some at random. But a call that waited has less time left than those before it of the same sender had.
"""

import math
from collections import OrderedDict
from typing import Final

_SENDERS: Final = 4096
_WINDOW_SECONDS: Final = 0.1


class Unseen:
    """The wait of calls before they are seen. Owner: the event loop's thread."""

    def __init__(self) -> None:
        self._longest: OrderedDict[str, float] = OrderedDict()  # that calls of a connection had left at most
        self._least = math.inf  # wait of the calls of this window
        self._least_before = 0.0  # and of the one before it
        self._window_ends = 0.0

    def wait(self, sender: str, left: float | None, now: float) -> float:
        """Note a call which has so many seconds left until its deadline (None: it has none); give the present wait.

        That is the shortest of all that were seen in the last tenths of a second. Of a single call it would be a guess:
        a sender that tries again within one deadline has less left each time.
        """
        if now >= self._window_ends:
            passed_over = now >= self._window_ends + _WINDOW_SECONDS
            self._least_before = 0.0 if passed_over or self._least == math.inf else self._least
            self._least, self._window_ends = math.inf, now + _WINDOW_SECONDS
        if left is not None:
            longest = self._longest.get(sender)
            if longest is None:
                if len(self._longest) >= _SENDERS:
                    self._longest.popitem(last=False)
                self._longest[sender] = left
            elif left > longest:
                self._longest[sender] = left
            else:
                self._least = min(self._least, longest - left)
                return min(self._least, self._least_before)
        self._least = 0.0
        return 0.0
