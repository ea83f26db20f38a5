"""Arguments of commands, of which one may be the name of the next: `["--token", "…"]`."""

import re

_USER = "curl_user"  # what `-u` takes, if it is not a user alone
_OPTION = re.compile(r"--?([A-Za-z][\w-]{2,47})")


def option(argument: str) -> str:
    """Give the name of an option, whose value the next argument may be; nothing for other arguments."""
    if argument == "-u":
        return _USER
    match = _OPTION.fullmatch(argument)
    return match[1] if match is not None else ""
