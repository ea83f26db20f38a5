"""Policies for names, compiled."""

from collections.abc import Callable

import pytest

from spansieve.names import model
from spansieve.names.redactor import Redactor
from spansieve.redact import policy
from spansieve.redact.policy.actions import Material

Make = Callable[..., Redactor]


def redactor(more: str = "") -> Redactor:
    """Make a redactor whose policy has the pack of names, and what `more` adds."""
    text = f"version: 1\nname: test\ndescription: Names.\ninclude: [names]\n{more}"
    material = Material(pseudonym_key=b"k" * 32)
    return Redactor(policy.compile(policy.parse(text), material), model.shipped())


@pytest.fixture
def make() -> Make:
    """The maker of redactors."""
    return redactor


@pytest.fixture(scope="session")
def plain() -> Redactor:
    """A redactor with the pack as it is."""
    return redactor()


@pytest.fixture(scope="session")
def pseudonyms() -> Redactor:
    """A redactor that puts pseudonyms in the place of persons."""
    return redactor("actions: {PERSON: {action: pseudonym}}\npseudonym: {key_env: KEY}\n")
