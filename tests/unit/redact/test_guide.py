"""The guide to policies shows policies that work."""

import re
from pathlib import Path

import pytest

from spansieve.redact import policy
from spansieve.redact.review import trial

_GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "policies.md"
_BLOCKS = re.findall(r"```yaml\n(.*?)```", _GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def _whole(block: str) -> str:
    """A piece of a policy with what it lacks to be one."""
    if block.startswith("  - name"):
        return f"rules:\n{block}"
    if block.startswith("    unless"):
        return (
            f"rules:\n  - name: badge\n    entity: BADGE\n    reason: Numbers of our staff.\n    keys: [badge]\n{block}"
        )
    return block if "include:" in block else f"include: [identity, crypto]\n{block}"


@pytest.mark.parametrize("block", _BLOCKS, ids=[block.split("\n", 1)[0] for block in _BLOCKS])
def test_what_the_guide_shows_is_accepted(block: str) -> None:
    """Each block, as it stands there or as the part of a policy that it is."""
    chosen = policy.parse(_whole(block))
    results = [] if "thresholds:" in block else trial.run(chosen)  # with which the packs' examples need not hold
    assert [result for result in results if result.positive and result.failures] == []


def test_the_guide_shows_policies() -> None:
    """A whole one, selectors, thresholds, a recogniser of Presidio."""
    text = "".join(_BLOCKS)
    assert all(part in text for part in ("version: 1", "roles:", "thresholds:", "presidio:"))
