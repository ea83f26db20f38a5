"""The command line: a module a command, each with `add_arguments(parser)` and `run(arguments) -> exit code`.

Exit codes: 0 done, 1 the input or the configuration is not usable (said on standard error), 2 a wrong command line.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from spansieve import __version__
from spansieve.config import ConfigError

_COMMANDS = {
    "run": "start the gateway",
    "check": "check a configuration and the policy that it names; all mistakes at once",
    "redact": "redact standard input to standard output",
    "policy": "show, test, report on and compare redaction policies",
    "dialects": "which dialects of LLM telemetry are read, and what of a file is not",
    "prices": "what a model costs, and where the price comes from",
    "traces": "look into the embedded store",
    "why": "whether a trace was kept, by which policy and for what reason",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. `arguments` are those of the process when not given."""
    parser = argparse.ArgumentParser(
        prog="spansieve",
        description="The gateway between LLM applications and a stock OpenTelemetry stack.",
        epilog="commands:\n" + "\n".join(f"  {name:<10}{summary}" for name, summary in _COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"spansieve {__version__}")
    parser.add_argument("command", choices=_COMMANDS, metavar="COMMAND", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="…", help="see spansieve COMMAND --help")
    given = sys.argv[1:] if arguments is None else arguments
    if not given:
        parser.print_help(sys.stderr)
        return 2
    chosen = parser.parse_args(given)
    # Only the chosen command's module is loaded: `redact` need not wait for the imports of the servers.
    module = importlib.import_module(f"spansieve.cli.{chosen.command}")
    command = argparse.ArgumentParser(prog=f"spansieve {chosen.command}", description=_COMMANDS[chosen.command])
    module.add_arguments(command)
    try:
        code: int = module.run(command.parse_args(chosen.arguments))
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 1
    except BrokenPipeError:  # `spansieve traces list | head`
        sys.stderr.close()
        return 1
    except OSError as error:  # a full disk, a directory in place of a file
        if chosen.command == "run":  # what ends a gateway is told in its log
            raise
        print(f"{error.filename or 'Standard input or output'}: {os.strerror(error.errno or 0)}.", file=sys.stderr)
        return 1
    return code
