"""Which arguments of a command are names of what follows them."""

import pytest

from spansieve.redact.text import arguments


@pytest.mark.parametrize(
    ("argument", "name"), [("--token", "token"), ("-password", "password"), ("--db-url", "db-url")]
)
def test_an_option_has_a_name(argument: str, name: str) -> None:
    """With one hyphen or two before it."""
    assert arguments.option(argument) == name


@pytest.mark.parametrize("argument", ["-p", "token", "--token=x", "---", "-1.5", "- a", "--a b", "", "--" + "a" * 49])
def test_other_arguments_have_none(argument: str) -> None:
    """Single letters say too little, but for one."""
    assert arguments.option(argument) == ""


def test_what_clients_of_http_take_has_a_name_of_its_own() -> None:
    """`-u` takes a user with a password, which no name tells."""
    assert arguments.option("-u") == "curl_user"
