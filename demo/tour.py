"""The tour: an LLM application with careless users, the gateway behind it, and what came of it; then it ends."""

import argparse
import shlex
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console

from demo import checks, view
from demo.evidence import SLOW_MS, Evidence, RunFailed, gather
from demo.gateway import GatewayFailed

_WIDTH_OF_A_PIPE = 130
_INTERRUPTED = 130  # what a shell calls a process that SIGINT ended


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--requests", type=int, default=40, help="requests of users (at least 20)")
    parser.add_argument("--seed", type=int, default=1, help="decides what the users say")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell that starts us in the background has SIGINT ignored
        signal.signal(number, _interrupt)
    directory = Path(tempfile.mkdtemp(prefix="spansieve-demo-"))
    try:
        console.rule("[bold]Spansieve: a tour", align="left")
        console.print(
            "A chat application (real OpenAI client, real OpenTelemetry instrumentation, content capture on) talks to\n"
            "a stand-in for its provider. Its only setting: OTEL_EXPORTER_OTLP_ENDPOINT points to a gateway.\n"
            f"Its {options.requests} users write e-mail addresses, cards and keys into their prompts; some calls fail, "
            "some are slow.\n"
        )
        with console.status("The application is answering its users …"):
            evidence = gather(directory, options.requests, options.seed)
        return _show(console, evidence)
    except KeyboardInterrupt:
        shutil.rmtree(directory, ignore_errors=True)
        console.print("Interrupted: everything that was started has been stopped, and nothing is left behind.")
        return _INTERRUPTED
    except (GatewayFailed, RunFailed) as error:
        console.print(f"The tour ends here. {error}", style="bold red", markup=False)
        console.print(f"The gateway's configuration and log are in {directory}", soft_wrap=True)
        return 1


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _show(console: Console, evidence: Evidence) -> int:
    _heading(console, "1. What came in, and what left", "one failed call and the request around it")
    console.print(view.before_and_after(evidence))
    console.print(f"Taken out in all, by rule: {view.redactions(evidence)}")
    _heading(console, "2. What was kept", f"every failure, everything over {SLOW_MS} ms, a fifth of the rest")
    console.print(view.verdicts(evidence))
    console.print(f"Spans: {view.books(evidence)}")
    _heading(console, "3. What was measured", "over all calls, before anything was sampled out")
    console.print(view.measured(evidence))
    _heading(console, "4. Whether it is true", "")
    results = checks.all_of(evidence)
    for check in results:
        sign, style, sentence = ("✓", "green", check.says) if check.holds else ("✗", "bold red", check.otherwise)
        console.print(f"{sign} {sentence}", style=style, markup=False)
    _heading(console, "5. Look further", "")
    _further(console, evidence)
    broken = sum(not check.holds for check in results)
    if broken:
        console.print(f"\n{broken} of {len(results)} checks failed: see 4.", style="bold red")
    return 1 if broken else 0


def _heading(console: Console, title: str, what: str) -> None:
    console.print()
    console.rule(f"[bold]{title}[/bold]" + (f"  {what}" if what else ""), align="left")


def _further(console: Console, evidence: Evidence) -> None:
    command = shlex.quote(str(Path(sys.executable).with_name("spansieve")))
    data = shlex.quote(str(evidence.directory / "data"))
    trace = next((r["trace_id"] for r in evidence.report["requests"] if r["kind"] == "failed"), "TRACE_ID")
    for line, what in (
        (f"{command} traces list --directory {data}", "the kept traces, newest first"),
        (f"{command} traces show {trace} --directory {data}", "a failed one as a tree"),
        (f"echo 'Write to jo@example.com' | {command} redact", "any text of your own"),
        (f"{command} policy show default", "the rules in force"),
        (f"{command} run", "the gateway itself: OTLP on 4317 and 4318, metrics on 9464"),
        (
            f"rm -r {shlex.quote(str(evidence.directory))}",
            "all that this tour left: the kept traces, the gateway's configuration and its log",
        ),
    ):
        console.print(f"  {line}", style="bold", markup=False, soft_wrap=True)
        console.print(f"      {what}")
