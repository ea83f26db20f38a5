"""Why an answer ended, in the gateway's own terms: finish_reasons.yaml."""

from collections.abc import Mapping
from functools import cache, lru_cache

from spansieve import strict_yaml

_OTHER = "other"
_SEPARATORS = str.maketrans("- .", "___")
_LONGEST = 64
_REMEMBERED = 1024


class FinishReasons:
    """Spellings and what they mean. `spellings` is meaning → the spellings of it, in lower case, with `_` within."""

    def __init__(self, spellings: Mapping[str, list[str]]) -> None:
        self._meaning = {spelling: meaning for meaning, some in spellings.items() for spelling in some}
        # A call with several answers counts under the gravest: cut off or blocked rather than stopped.
        self._gravity = {meaning: at for at, meaning in enumerate([_OTHER, *spellings])}
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._of)

    def of(self, told: tuple[str, ...]) -> str:
        """Return what the reasons of a call's answers (at least one) mean: one for the call, the gravest."""
        return self._remembered(told)

    def _of(self, told: tuple[str, ...]) -> str:
        return max(map(self._of_one, told), key=self._gravity.__getitem__)

    def _of_one(self, told: str) -> str:
        spelling = told[:_LONGEST].lower().rpartition(".")[2].translate(_SEPARATORS)
        return self._meaning.get(spelling, _OTHER)


@cache  # the package's data do not change
def load() -> FinishReasons:
    """Return what the package ships."""
    return FinishReasons(strict_yaml.shipped("spansieve.measure", "finish_reasons.yaml"))
