"""`spansieve policy`: show a policy in force, or run the examples of its rules."""

import argparse
import sys
from pathlib import Path

from spansieve.redact import policy, trial


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("action", choices=("show", "test"), help="show: the effective rules; test: run their examples")
    parser.add_argument(
        "policy", nargs="?", default="default", metavar="NAME|FILE", help="a shipped policy's name, or a policy file"
    )


def run(arguments: argparse.Namespace) -> int:
    """Show or test; 1 when the policy cannot be used or an example fails."""
    try:
        chosen = read(arguments.policy)
    except policy.PolicyError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 1
    if arguments.action == "show":
        print(f"# digest: {policy.digest(chosen)}\n{policy.render(chosen)}", end="")
        return 0
    return _test(chosen)


def read(name: str) -> policy.Policy:
    """Load a policy by the name of a shipped one or the path of a file. Raises PolicyError."""
    if "/" not in name and not name.endswith((".yaml", ".yml")):
        return policy.parse(policy.shipped(name))
    try:
        text = Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise policy.PolicyError([f"{name} cannot be read: {error.strerror}."]) from None
    except UnicodeDecodeError:
        raise policy.PolicyError([f"{name} cannot be read: it is not UTF-8 text."]) from None
    return policy.parse(text)


def _test(chosen: policy.Policy) -> int:
    results = trial.run(chosen)
    width = max(len(result.rule) for result in results)
    print(f"{'rule':<{width}}  positive  negative  result")
    for result in results:
        verdict = "failed" if result.failures else "ok"
        print(f"{result.rule:<{width}}  {result.positive:>8}  {result.negative:>8}  {verdict}")
    failed = [result for result in results if result.failures]
    for result in failed:
        for failure in result.failures:
            print(f"{result.rule}: {failure}", file=sys.stderr)
    print(f"{len(results)} rules, {len(failed)} failed, {policy.digest(chosen)}")
    return 1 if failed else 0
