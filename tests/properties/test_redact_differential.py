"""The engine, with its anchors and windows, against the same patterns tried at every place of a text."""

import re

from hypothesis import example, given, settings

from spansieve import redact
from spansieve.redact import jsontext, normalise
from spansieve.redact.compiled import NO_FACTS
from spansieve.redact.engine import REMOVED, Run
from spansieve.redact.matching import OverBudget
from unit.redact.helpers_redact import default_rules, mixed_texts


def _everywhere(text: str) -> str:
    """The text after all rules have been tried at each place, without the help of anchors."""
    run = Run(default_rules())
    anchors = [anchor for anchor, rules in enumerate(default_rules().by_anchor) if rules]
    try:
        places = [(at, anchor) for at in range(len(text) + 1) for anchor in anchors]
        return run._plain(text, NO_FACTS, places, odd="\\" in text or bool(normalise.suspects([text])))
    except OverBudget:
        return REMOVED


@settings(max_examples=150, deadline=None)
@given(mixed_texts)
@example("219 09 9999+1 415 555 2671")
@example("ok 078-05-1120 12 4111 1111 1111 1111")
def test_anchors_lose_no_match(text: str) -> None:
    """What patterns find when tried everywhere they also find around anchors."""
    if jsontext.looks_like(text):
        text = re.sub(r'["\[{\\]', "", text)
    assert redact.text(text, default_rules())[0] == _everywhere(text)
