"""The command line itself."""

from spansieve import cli
from unit.cli.conftest import Standard


def test_without_a_command_there_is_help(standard: Standard) -> None:
    """On standard error, with the exit code of a wrong command line."""
    code, out, err = standard.call()
    assert (code, out) == (2, "")
    assert all(f"\n  {command}" in err for command in cli._COMMANDS)
