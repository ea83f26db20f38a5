"""`spansieve policy`: what a policy is, whether it does what it says, and what a change of it would do."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from spansieve import policy_source
from spansieve.cli import requests
from spansieve.errors import MalformedRequest
from spansieve.model import DecodedBatch
from spansieve.names_stage import names_redactor
from spansieve.redact import CompiledRules, policy
from spansieve.redact.policy.sealing import SEALED, Opener, SealingError
from spansieve.redact.review import diff, report, report_text, trial


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser
    which = argparse.ArgumentParser(add_help=False)
    which.add_argument(
        "policy",
        nargs="?",
        default="default",
        metavar="NAME|FILE",
        help="a shipped policy's name, or a policy file (default: %(default)s)",
    )
    add("list", help="the policies and the rule packs that are shipped")
    add("show", parents=[which], help="the effective policy, as YAML that can be used as a policy file")
    add("test", parents=[which], help="run the examples of its rules; exit code 1 when one fails")
    reporting = add("report", parents=[which], help="the reviewer's document")
    reporting.add_argument("--format", choices=("html", "markdown"), default="markdown", help="(default: %(default)s)")
    reporting.add_argument("-o", "--output", type=Path, metavar="FILE", help="in place of standard output")
    comparing = add("diff", help="what becomes newly masked and newly visible from policy A to policy B")
    comparing.add_argument("a", metavar="A", help="the policy in force: NAME|FILE")
    comparing.add_argument("b", metavar="B", help="the other one: NAME|FILE")
    comparing.add_argument(
        "--on", nargs="+", type=Path, required=True, metavar="FILE", help="OTLP requests: .json, one or one a line; .pb"
    )
    comparing.add_argument("--strict", action="store_true", help="exit code 1 when anything becomes newly visible")
    add("schema", help="the JSON Schema of a policy file")
    opening = add("decrypt", help="standard input with each [ENC:…] in it opened, to standard output")
    opening.add_argument("--key", type=Path, required=True, metavar="FILE", help="the private key, in PEM")


def run(arguments: argparse.Namespace) -> int:
    """Do one of the actions; 1 when the policy cannot be used, or what it is asked is answered by no."""
    actions: Mapping[str, Callable[[argparse.Namespace], int]] = {
        "list": _list,
        "show": _show,
        "test": _test,
        "report": _report,
        "diff": _diff,
        "schema": _schema,
        "decrypt": _decrypt,
    }
    try:
        return actions[arguments.action](arguments)
    except policy.PolicyError as error:
        problems = error.problems
    except MalformedRequest as error:
        problems = [error.description]
    except SealingError as error:
        problems = [f"The key {error}."]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1


def _list(_arguments: argparse.Namespace) -> int:
    for name in policy.shipped_names():
        print(f"{name:<20}{policy.parse(policy.shipped(name)).description}")
    print("\nRule packs, for `include`, and the entities that their rules find:")
    for name in policy.packs():
        print(f"{name:<20}{', '.join(dict.fromkeys(rule.entity for rule in policy.pack_rules(name)))}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    chosen = policy_source.read(arguments.policy)
    print(f"# digest: {policy.digest(chosen)}\n{policy.render(chosen)}", end="")
    return 0


def _test(arguments: argparse.Namespace) -> int:
    chosen = policy_source.read(arguments.policy)
    results = trial.run(chosen, _names)
    width = max(len(result.rule) for result in results)
    print(f"{'rule':<{width}}  positive  negative  result")
    for result in results:
        verdict = (
            "failed" if result.failures else "ok" if result.positive else "found by the model of names, no examples"
        )
        if result.elsewhere:
            verdict += f", {result.elsewhere} of countries or regions left out"
        print(f"{result.rule:<{width}}  {result.positive:>8}  {result.negative:>8}  {verdict}")
    failed = [result for result in results if result.failures]
    for result in failed:
        for failure in result.failures:
            print(f"{result.rule}: {failure}", file=sys.stderr)
    print(f"{len(results)} rules, {len(failed)} failed, {policy.digest(chosen)}")
    return 1 if failed else 0


def _names(rules: CompiledRules) -> trial.Read:
    """What takes names out by the rules of a policy that asks for it."""
    redactor = names_redactor(rules)
    return redactor.text if redactor is not None else lambda text, _: (text, {})


def _report(arguments: argparse.Namespace) -> int:
    made = report.make(policy_source.read(arguments.policy), _names)
    text = report_text.html(made) if arguments.format == "html" else report_text.markdown(made)
    if arguments.output is None:
        print(text, end="")
    else:
        arguments.output.write_text(text, encoding="utf-8")
    if made.failed:
        again = f"spansieve policy test {arguments.policy}"
        print(f"Rules whose examples do not hold: {made.failed}. The report marks them; see {again}.", file=sys.stderr)
    return 1 if made.failed else 0


def _diff(arguments: argparse.Namespace) -> int:
    # What a pseudonym is does not matter here, only that there is one: the keys of trials do.
    a, b = (policy.compile(policy_source.read(name), trial.MATERIAL) for name in (arguments.a, arguments.b))
    found = diff.compare(_batches(arguments.on), a, b)
    print(f"A  {a.name}  {a.digest}\nB  {b.name}  {b.digest}")
    print(f"{found.requests} requests, {found.items} spans, log records and data points")
    _print_change("newly masked by B", found.masked)
    _print_change("newly visible under B", found.visible)
    _print_change("masked by both, put otherwise", found.otherwise)
    return 1 if arguments.strict and found.visible.texts else 0


def _batches(files: Sequence[Path]) -> Iterator[DecodedBatch]:
    for file in files:
        try:
            yield from requests.read(file)
        except MalformedRequest as error:
            raise MalformedRequest(f"{file} does not hold OTLP requests: {error.description}") from None


def _print_change(title: str, change: diff.Change) -> None:
    rules = ", ".join(f"{rule} {count}" for rule, count in change.rules.most_common())
    print(f"\n{title}: {change.texts} texts{f' ({rules})' if rules else ''}")
    for name, place in sorted(change.places.items(), key=lambda item: (-item[1].count, item[0])):
        print(f"  {place.count:>6}  {name}")
        for snippet in place.snippets:
            print(f"          {snippet}")


def _schema(_arguments: argparse.Namespace) -> int:
    print(json.dumps(policy.schema(), indent=2, ensure_ascii=False))
    return 0


def _decrypt(arguments: argparse.Namespace) -> int:
    opener = Opener(arguments.key.read_bytes())
    refused = 0
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    pieces: list[str] = []
    done = 0
    for sealed in SEALED.finditer(text):
        pieces.append(text[done : sealed.start()])
        done = sealed.end()
        try:
            pieces.append(opener.open(sealed[0]))
        except SealingError:
            refused += 1
            pieces.append(sealed[0])
    pieces.append(text[done:])
    sys.stdout.buffer.write("".join(pieces).encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()
    if refused:
        print(f"{refused} values were sealed to another key, or altered, and stay as they are.", file=sys.stderr)
    return 1 if refused else 0
