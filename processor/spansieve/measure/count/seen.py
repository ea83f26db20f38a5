"""Remembers which spans were counted: OTLP senders repeat what they got no answer for."""

WIDTH = 24
"""Bytes of a key: a trace id and a span id."""


class Seen:
    """The ids of the spans counted last: at least `capacity` / 2 of them, at most `capacity`.

    Two generations instead of an exact order of use: half the memory, and forgetting costs nothing. Beside each stand
    its keys in one piece, so that a checkpoint takes what is remembered as it is. Owner: one Meter.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 2:
            raise ValueError("the memory of spans holds at least two")
        self._half = capacity // 2
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._joined = bytearray(), bytearray()  # the keys of each: young, old

    @property
    def generations(self) -> tuple[set[bytes], set[bytes]]:
        """Everything that is remembered: the younger keys, and the older ones."""
        return self._young, self._old

    def state(self) -> tuple[bytearray, bytearray]:
        """The keys of both generations, joined: what stands there stays, and more comes."""
        return self._joined

    def restore(self, young: bytes, old: bytes) -> None:
        """Take over what `state` returned."""
        self._young, self._old = ({keys[at : at + WIDTH] for at in range(0, len(keys), WIDTH)} for keys in (young, old))
        self._joined = bytearray(young), bytearray(old)

    def first(self, span: bytes) -> bool:
        """Whether this is the first time that the key (WIDTH bytes) is met, as far as memory goes."""
        young = self._young
        if span in young:
            return False
        known = span in self._old
        if len(young) >= self._half:
            self._old, young = young, set()
            self._young = young
            self._joined = bytearray(), self._joined[0]
        young.add(span)
        self._joined[0].extend(span)
        return not known

    def __contains__(self, span: object) -> bool:
        return span in self._young or span in self._old

    def __len__(self) -> int:
        return len(self._young | self._old)
