"""`spansieve redact`: standard input to standard output; on standard error what was done, without values."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from spansieve import decode, otlp_json, policy_source, redact
from spansieve.errors import MalformedRequest
from spansieve.model import Encoding, ReceivedRequest, Signal
from spansieve.names import otlp
from spansieve.names_stage import names_redactor
from spansieve.redact import CompiledRules, PolicyError
from spansieve.redact.find.flat import BUDGET

_LARGEST = 256 * 1024 * 1024
"""Bytes of input, of which some ten times as much is held."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--policy",
        default="default",
        metavar="NAME|FILE",
        help="a shipped policy's name, or a policy file (default: %(default)s)",
    )
    parser.add_argument(
        "--key-file", type=Path, metavar="FILE", help="the key of pseudonyms, in place of where the policy has it"
    )
    parser.add_argument(
        "--input",
        choices=("text", "otlp-json", "otlp-proto"),
        default="text",
        help="what standard input holds: one text, or one OTLP export request (default: %(default)s)",
    )
    parser.add_argument(
        "--signal",
        choices=[signal.value for signal in Signal],
        default=Signal.TRACES.value,
        help="the signal of an otlp-proto request, whose bytes do not tell (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Redact standard input; 1 when the policy or the input cannot be used, and then nothing is written."""
    try:
        rules = policy_source.load(arguments.policy, os.environ, arguments.key_file)
        body = sys.stdin.buffer.read(_LARGEST + 1)
        if len(body) > _LARGEST:
            print(f"The input is larger than {_LARGEST >> 20} MiB: redact it in parts.", file=sys.stderr)
            return 1
        if arguments.input == "text":
            output, findings = _text(body, rules)
        elif arguments.input == "otlp-json":
            output, findings = _request(body, otlp_json.signal_of(body), Encoding.JSON, rules)
        else:
            output, findings = _request(body, Signal(arguments.signal), Encoding.PROTO, rules)
    except PolicyError as error:
        problems = error.problems
    except MalformedRequest as error:
        problems = [f"The input is not an OTLP request: {error.description}"]
    else:
        sys.stdout.buffer.write(output)
        sys.stdout.buffer.flush()
        _report(findings, rules)
        return 0
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1


def _text(body: bytes, rules: CompiledRules) -> tuple[bytes, Mapping[str, int]]:
    # What is no UTF-8 is read as U+FFFD: bytes that nothing could be found in do not pass.
    text, findings = redact.text(body.decode("utf-8", "replace"), rules)
    if (names := names_redactor(rules)) is not None:
        text, found = names.text(text)
        findings += found
    return text.encode("utf-8", "replace"), findings


def _request(body: bytes, signal: Signal, encoding: Encoding, rules: CompiledRules) -> tuple[bytes, Mapping[str, int]]:
    decoded = decode.message(ReceivedRequest(signal, encoding, body))
    if decoded.message:
        print(decoded.message, file=sys.stderr)
    batch = redact.batch(decoded.batch, rules)
    if (names := names_redactor(rules)) is not None:
        found = otlp.request(batch.message, names)
        batch = replace(batch, findings=Counter(batch.findings) + found)
    if encoding is Encoding.JSON:
        return otlp_json.render(batch.message) + b"\n", batch.findings
    return batch.message.SerializeToString(), batch.findings


def _report(findings: Mapping[str, int], rules: CompiledRules) -> None:
    """Print what was replaced, by rule, most frequent first."""
    for rule, count in sorted(findings.items(), key=lambda item: (-item[1], item[0])):
        print(f"{rule}: {count}", file=sys.stderr)
    if BUDGET in findings:
        print("A text that took too long was removed whole: give a file with many lines in parts.", file=sys.stderr)
    print(f"{sum(findings.values())} values replaced by policy {rules.name} ({rules.digest})", file=sys.stderr)
