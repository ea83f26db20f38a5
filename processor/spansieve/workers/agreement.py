"""Whether two processes redact alike."""

import hashlib
from collections.abc import Callable

from spansieve.redact import CompiledRules

_TRIAL = "spansieve"


def fingerprint(rules: CompiledRules) -> str:
    """Name a policy together with its keys: two processes with the same one put the same in place of the same value.

    A rule whose action never puts the same twice is left out. Neither policy nor key can be told from it.
    """
    named = hashlib.sha256(rules.digest.encode())
    for rule in rules.rules:
        if rule.act is not None and rule.name not in rules.sealing:
            named.update(f"\0{rule.name}\0{_rendered(rule.act)}".encode("utf-8", "surrogatepass"))
    return named.hexdigest()


def _rendered(act: Callable[[str], str]) -> str:
    try:
        return act(_TRIAL)
    except ValueError:  # it is for numbers, or addresses, and has no key
        return ""
