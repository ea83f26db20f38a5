"""Which attributes look as if they told of a call to a model, whatever dialect they are of."""

from functools import lru_cache
from typing import Final

from spansieve.measure.read.values import MAX_TEXT

_ABOUT: Final = ("llm", "gen_ai", "genai", "completion", "prompt", "openai", "anthropic")
_OF: Final = ("model", "token")


def looks_like_llm(key: str) -> bool:
    """Whether an attribute of this name looks as if it told of a call to a model: its name or its usage."""
    return _looks_like_llm(key[:MAX_TEXT])


@lru_cache(maxsize=8192)
def _looks_like_llm(key: str) -> bool:
    lowered = key.lower()
    return any(about in lowered for about in _ABOUT) and any(of in lowered for of in _OF)
