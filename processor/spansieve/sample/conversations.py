"""Whole conversations: what one trace of a conversation is worth, the others are."""

from collections import OrderedDict
from hashlib import blake2b

from spansieve.facts import TraceFacts
from spansieve.sample.probability import rejection_threshold
from spansieve.tracestate import NEVER

_MOST = 10_000


def _digest(conversation: str) -> bytes:
    return blake2b(conversation.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Conversation:
    """Keep all traces of `percentage` percent of conversations (`gen_ai.conversation.id`), and of those that matter.

    With `follow`, a conversation of which another policy kept a trace as a whole kind, such as a failed one, is kept
    from there on: the last 10,000 such conversations are remembered, by a digest. Randomness is the conversation's, not
    the trace's, so that what it keeps has no probability among traces.
    """

    def __init__(self, name: str, percentage: float, *, follow: bool) -> None:
        self.name = name
        self._threshold = rejection_threshold(percentage)
        self._follow = follow
        self._kept: OrderedDict[bytes, None] = OrderedDict()

    def threshold(self, facts: TraceFacts, now: float) -> int:  # noqa: ARG002 - the signature of a Policy
        """0 for a trace of a conversation that is kept, NEVER for any other."""
        for conversation in facts.llm.conversations:
            digest = _digest(conversation)
            if digest in self._kept:
                self._kept.move_to_end(digest)
                return 0
            if int.from_bytes(digest[:7], "big") >= self._threshold:
                return 0
        return NEVER

    def note_kept(self, facts: TraceFacts) -> None:
        """Note that another policy kept a trace as a whole kind."""
        if not self._follow:
            return
        for conversation in facts.llm.conversations:
            self._kept[_digest(conversation)] = None
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)

    def state(self) -> str:
        """What `restore` takes: digests, in hexadecimal."""
        return b"".join(self._kept).hex()

    def restore(self, state: str) -> None:
        """Remember what was remembered."""
        digests = bytes.fromhex(state)
        self._kept = OrderedDict((digests[at : at + 16], None) for at in range(0, len(digests), 16))
