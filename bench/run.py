"""Every peer under every kind of traffic, side by side: most of `make bench` (20 minutes), `make bench-quick` (one).

Two comparisons: of all that the policy `default` asks for, and of the nine classes of an operator's twelve patterns.

Peers take turns, A B A B, so that what else the machine does meets all of them; medians of rounds count, and ratios
are those of one run. CPU time is the peer's own, from /proc, until all that it was sent is decided and exported: the
figures hold on a busy machine, and for a peer that uses more than one core.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from bench import cell, lag, machine, measuring, micro, names, overload, recall, report, sizes, waiting
from bench.cell import Cell
from bench.comparisons import DEFAULT, TWELVE
from bench.peers import Peer, Unavailable, collector, echo, patterns, presidio, rotel, spansieve
from bench.processes import ROOT, Failed, Talker, talker
from bench.recall import Recall
from bench.traffic import CLASSES, KINDS, load
from spansieve.redact import policy

RESULTS = ROOT / "bench" / "results"
_QUICK_KINDS = ("plain", "chat")
_RECALL_KINDS = ("chat", "plain")  # the other kinds have the texts of chat
_HTTP_KIND = "small"
_LATENCY = {"chat": 50, "small": 0}
"""Spans a request, by kind; 0 is as recorded."""
_REQUESTS_FOR_P99, _MOST_SECONDS_FOR_P99 = 500, 40.0
_R = TypeVar("_R")


class Run:
    """One run of the benchmark. Results gather in `results`, which report.py turns into a table."""

    def __init__(self, sink: Talker, address: str, *, seconds: float, rounds: int, kinds: tuple[str, ...]) -> None:
        self.results: dict[str, Any] = {"machine": machine.describe(), "peers": {}, "unavailable": {}, "kinds": {}}
        self._sink = sink
        self._address = address
        self._seconds = seconds
        self._rounds = rounds
        self._kinds = kinds
        self._began = time.monotonic()
        self._peers: list[Peer] = []
        self._once: tuple[str, ...] = ()

    def introduce(self, peers: tuple[Peer, ...], once: tuple[str, ...] = ()) -> None:
        """Note versions and what each leaves out; those that cannot be had are noted with the reason.

        Those named in `once` are driven in the first round only.
        """
        self._once = once
        for peer in peers:
            version = self._try(peer.NAME, peer.version)
            if version is not None:
                self.results["peers"][peer.NAME] = {"version": version, "leaves_out": peer.LEAVES_OUT}
                self._peers.append(peer)
        for kind in self._kinds:
            recording = load(kind)
            self.results["kinds"][kind] = {
                "spans": recording.total_spans,
                "bytes": recording.size,
                "requests": len(recording.pieces),
            }

    def throughput(self, protocol: str = "grpc") -> None:
        """Rounds of all peers and kinds in turn."""
        self.results["throughput"], self.results["rounds"] = self._throughput(
            self._kinds, self._peers, protocol, self._rounds
        )

    def over_http(self) -> None:
        """The same of small requests over OTLP/HTTP: what a request costs beside its spans shows there."""
        twelve = self._named(TWELVE)
        self.results["over_http"], self.results["rounds_over_http"] = self._throughput((_HTTP_KIND,), twelve, "http", 1)

    def _throughput(
        self, kinds: tuple[str, ...], chosen: list[Peer], protocol: str, times: int
    ) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, list[dict[str, Any]]]]]:
        """Medians of the rounds, and the rounds, by kind and peer."""
        rounds: dict[str, dict[str, list[Cell]]] = {kind: {peer.NAME: [] for peer in chosen} for kind in kinds}
        for number in range(times):
            for kind in kinds:
                for peer in chosen:
                    if number and peer.NAME in self._once:
                        continue
                    self._say(f"round {number + 1} of {times}: {kind} over {protocol} → {peer.NAME}")
                    found = self._try(
                        peer.NAME,
                        lambda peer=peer, kind=kind: cell.measure(  # type: ignore[misc]  # called at once
                            peer, kind, self._sink, self._address, self._seconds, protocol
                        ),
                    )
                    if found is not None:
                        rounds[kind][peer.NAME].append(found)
        return (
            {kind: {name: _median(found) for name, found in peers.items() if found} for kind, peers in rounds.items()},
            {
                kind: {name: [asdict(each) for each in cells] for name, cells in by_peer.items()}
                for kind, by_peer in rounds.items()
            },
        )

    def floors(self, *, twelve: bool = True) -> None:
        """The gateway's stages, and parse + serialize of the same bytes, in this process; and a gRPC echo."""
        self._say("stages")
        policies = {"stages": micro.default_rules()}
        if twelve:
            policies["stages_twelve"] = policy.compile(policy.parse(spansieve.twelve_policy()))
        for name, rules in policies.items():
            self.results[name] = {
                kind: micro.median_round(load(kind), rules, min(2.0, self._seconds), self._rounds)
                for kind in self._kinds
            }
        self._say("measuring")
        self.results["measuring"] = measuring.measure_apart(self._kinds)
        self.results["peers"][echo.NAME] = {"version": echo.version(), "leaves_out": echo.LEAVES_OUT}
        for kind in self._kinds:
            self._say(f"echo: {kind}")
            cells = [cell.measure(echo, kind, self._sink, self._address, 1.0)]
            self.results["throughput"][kind][echo.NAME] = _median(cells)

    def presidio(self) -> None:
        """Presidio, on a sample: speed and recall."""
        version = self._try(presidio.NAME, presidio.version)
        if version is None:
            return
        self.results["peers"][presidio.NAME] = {"version": version, "leaves_out": presidio.LEAVES_OUT}
        for kind in self._kinds:
            self._say(f"presidio: {kind}")
            found = self._try(presidio.NAME, lambda kind=kind: presidio.measure(kind, min(2.0, self._seconds)))  # type: ignore[misc]  # called at once
            if found is not None:
                self.results["throughput"][kind][presidio.NAME] = _median([found[0]])
                self._note_recall(kind, presidio.NAME, found[1])

    def recall(self, kinds: tuple[str, ...]) -> None:
        """What each takes out of all that was planted, and what it should have left."""
        for kind in kinds:
            for peer in self._named((*DEFAULT, TWELVE[1])):
                self._say(f"recall: {kind} → {peer.NAME}")
                spans = load(kind).total_spans // (1 if kind in _QUICK_KINDS else 4)
                found = self._try(
                    peer.NAME,
                    lambda peer=peer, kind=kind, spans=spans: recall.measure(  # type: ignore[misc]  # called at once
                        peer, kind, self._sink, self._address, spans
                    ),
                )
                if found is not None:
                    self._note_recall(kind, peer.NAME, found)

    def classes(self) -> None:
        """What each takes out of values of every class of the policy, and of what only looks like them."""
        self.results["classes"] = {}
        for peer in self._named((*DEFAULT[:2], *TWELVE[:2])):
            self._say(f"classes: {peer.NAME}")
            found = self._try(peer.NAME, lambda peer=peer: recall.measure(peer, CLASSES, self._sink, self._address))  # type: ignore[misc]  # called at once
            if found is not None:
                self.results["classes"][peer.NAME] = asdict(found)

    def latency(self) -> None:
        """Acknowledgements at half of what the slowest peer sustains on a core, and ours by the size of a request."""
        self.results["latency"] = []
        peers = self._named((DEFAULT[0], *TWELVE[1:]))
        for kind, size in _LATENCY.items():
            sustained = self.results["throughput"].get(kind, {})
            if not peers or any(peer.NAME not in sustained for peer in peers):
                continue
            rate = min(sustained[peer.NAME]["spans_per_cpu_s"] for peer in peers) / 2
            for peer in peers:
                self._acknowledgements(kind, size, peer, rate, "memory")
            self._acknowledgements(kind, size, peers[0], rate, "fsync")
        self._say("latency by the size of a request")
        self.results["sizes"] = sizes.measure(spansieve.DEFAULT, self._sink, self._address)

    def _acknowledgements(self, kind: str, size: int, peer: Peer, rate: float, durability: str) -> None:
        """Enter the times to the answer at so many spans a second."""
        name = peer.NAME if durability == "memory" else f"{peer.NAME}, {durability}"
        self._say(f"latency: {kind}, {rate:,.0f} spans/s → {name}")
        recording = load(kind)
        each = size or recording.total_spans / len(recording.pieces)
        seconds = min(max(self._seconds, _REQUESTS_FOR_P99 * each / rate), _MOST_SECONDS_FOR_P99)
        options = {"rate": rate, "spans_a_request": size}
        with cell.started(peer, self._sink, self._address, decision_wait=1.0, durability=durability) as running:
            cell.drive(running, kind, 1.0, first_lap=1, **options)
            result = cell.drive(running, kind, seconds, **options)
        figures = {key: result[key] for key in ("p50_ms", "p99_ms", "requests", "refused")}
        self.results["latency"].append({"kind": kind, "rate": rate, "spans": each, "peer": name, **figures})

    def memory(self) -> None:
        """Resident memory of waiting spans, for the peers that let them wait."""
        self.results["memory"] = {}
        for peer in self._named(report.WAITING):
            self._say(f"memory: {peer.NAME}")
            self.results["memory"][peer.NAME] = asdict(waiting.measure(peer, self._sink, self._address))

    def names(self) -> None:
        """What names in free text cost, with which the gateway runs on what is kept."""
        self._say("names in free text")
        found = self._try("names", names.measure)
        if found is not None:
            self.results["names"] = found

    def lag(self) -> None:
        """The event loop's lag while traces wait and fall due, for the peer that tells of it."""
        gateway = spansieve.DEFAULT
        self._say(f"lag: {gateway.NAME}")
        found = self._try(gateway.NAME, lambda: lag.measure(gateway, self._sink, self._address))
        if found is not None:
            self.results["lag"] = asdict(found)

    def overload(self) -> None:
        """More than can be sustained, for the peers that let spans wait."""
        self.results["overload"] = []
        throughput = self.results["throughput"]
        for cause, kind in overload.CAUSES.items():
            if kind not in throughput:
                continue
            for peer in self._named(report.WAITING):
                self._say(f"overload by {cause}: {peer.NAME}")
                rate = throughput[kind][peer.NAME]["spans_per_cpu_s"]
                found = overload.measure(peer, cause, rate, self._sink, self._address)
                self.results["overload"].append({**asdict(found), "lost": found.lost})

    def _named(self, names: tuple[str, ...]) -> list[Peer]:
        """Those of the peers, in this order."""
        by_name = {peer.NAME: peer for peer in self._peers}
        return [by_name[name] for name in names if name in by_name]

    def _note_recall(self, kind: str, name: str, found: Recall) -> None:
        self.results.setdefault("recall", {}).setdefault(kind, {})[name] = asdict(found)

    def _try(self, name: str, action: Callable[[], _R]) -> _R | None:
        try:
            return action()
        except (Unavailable, Failed) as error:
            self.results["unavailable"][name] = str(error)
            self._say(f"{name}: {error}")
            return None

    def _say(self, what: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - self._began:5.0f} s] {what}\n")
        sys.stderr.flush()


def _peers() -> tuple[Peer, ...]:
    """In the order of the tables: those of each comparison beside each other."""
    return (
        spansieve.DEFAULT,
        collector.default(),
        rotel.default(),
        spansieve.twelve(),
        collector.TWELVE,
        rotel.twelve(),
    )


def _median(cells: list[Cell]) -> dict[str, Any]:
    """Medians of the rounds' figures, and what was refused in any of them."""
    names = ("us_per_span", "spans_per_cpu_s", "mb_per_cpu_s", "p50_ms", "p99_ms")
    return {
        **{name: statistics.median(getattr(each, name) for each in cells) for name in names},
        "us_per_request": statistics.median(each.cpu_s / max(1, each.requests) * 1e6 for each in cells),
        "spread": max(each.us_per_span for each in cells) / max(1e-9, min(each.us_per_span for each in cells)),
        "kept": statistics.median(each.arrived / max(1, each.spans) for each in cells),
        "refused": sum(sum(each.refused.values()) for each in cells),
    }


def main() -> None:
    """Run, print the table, and write it with its plots to bench/results/."""
    parser = argparse.ArgumentParser(prog="bench.run", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="nine classes, chat and plain, one round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which medians count (3)")
    parser.add_argument("--seconds", type=float, default=2.5, help="how long a peer is driven in a round (2.5)")
    parser.add_argument("--kinds", default=",".join(KINDS), help="kinds of traffic, by comma (all)")
    parser.add_argument("--protocol", default="grpc", choices=["grpc", "http"])
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the table and its plots go")
    parser.add_argument("--only", default="", help="throughput and floors of these peers only, by comma")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, talker("bench.sink", [], Path(directory)) as sink:
        address = sink.listen()["address"]
        if arguments.quick:
            run = Run(sink, address, seconds=2.0, rounds=1, kinds=_QUICK_KINDS)
            run.introduce((spansieve.twelve(), collector.TWELVE) if collector.is_built() else (spansieve.twelve(),))
            run.throughput()
            run.floors(twelve=False)
            run.names()
        else:
            kinds = tuple(arguments.kinds.split(","))
            run = Run(sink, address, seconds=arguments.seconds, rounds=arguments.rounds, kinds=kinds)
            peers = _peers()
            only = arguments.only.split(",") if arguments.only else [peer.NAME for peer in peers]
            run.introduce(tuple(peer for peer in peers if peer.NAME in only), once=DEFAULT[1:])
            run.throughput(arguments.protocol)
            run.floors()
            if not arguments.only:
                if _HTTP_KIND in kinds and arguments.protocol == "grpc":
                    run.over_http()
                run.names()
                run.presidio()
                run.recall(tuple(kind for kind in kinds if kind in _RECALL_KINDS))
                run.classes()
                run.latency()
                run.memory()
                run.lag()
                run.overload()
        run.results["machine"]["load average at the end"] = machine.load()
    table = report.markdown(run.results)
    sys.stdout.write(table)
    if not (arguments.quick or arguments.only or arguments.protocol != "grpc"):
        _write(run.results, table, arguments.results)


def _write(results: dict[str, Any], table: str, folder: Path) -> None:
    """The table, its figures, its plots, and the Collector's configuration that is made of the policy."""
    files = {
        "latest.md": table,
        "latest.json": json.dumps(results, indent=1) + "\n",
        "collector-default.yaml": patterns.commented() + collector.configuration(patterns.default()),
        **report.plots(results),
    }
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
