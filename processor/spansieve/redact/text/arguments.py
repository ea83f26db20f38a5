"""Arguments of commands, of which one may be the name of the next: `["--token", "…"]`."""

import re

_OPTION = re.compile(r"--?([A-Za-z][\w-]{2,47})")


def option(argument: str) -> str:
    """Give the name of an option, whose value the next argument may be; nothing for other arguments."""
    match = _OPTION.fullmatch(argument)
    return match[1] if match is not None else ""
