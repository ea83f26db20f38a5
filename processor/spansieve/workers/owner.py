"""The owner's side: starts the workers, takes over what they redacted, starts anew those that die."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from structlog.typing import FilteringBoundLogger

from spansieve import logs
from spansieve.clock import Clock
from spansieve.config import ConfigError, Protocols, Redaction
from spansieve.errors import Unavailable
from spansieve.http_server import reserve
from spansieve.journal import keys
from spansieve.model import Signal
from spansieve.receive import GRPC_KEY, HTTP_KEY
from spansieve.redact import CompiledRules
from spansieve.workers.agreement import fingerprint
from spansieve.workers.channel import Channel
from spansieve.workers.frames import Counted, Frame, Handed, Load, Ready, Refused, Stop, Taken, Terms, Unable

# A worker that dies again and again is started anew less and less often; one that lived for long is not one of these.
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 10.0
_LONG_LIFE_SECONDS: Final = 30.0
# How often workers are told how much is held here.
_TELL_SECONDS: Final = 0.1
# A worker that serves is heard of every second. One that is not has stopped, or hangs in a request.
_LONGEST_SILENCE_SECONDS: Final = 10.0
# A worker takes seconds to import and compile; on a machine that has no time for it, longer.
_START_SECONDS: Final = 60.0
# Beside the grace of the receivers: for the farewells of gRPC and HTTP, and the end of a process.
_EXIT_SECONDS: Final = 3.0


class TakesOver(Protocol):
    """The stages behind redaction."""

    @property
    def held_bytes(self) -> int:
        """What they hold."""
        ...

    async def take_over(self, handed: Handed) -> None:
        """Take a redacted request. When this returns it is owed a fate. Raises Unavailable."""
        ...


class Counts(Protocol):
    """Is told what the workers counted."""

    def count_request(self, transport: str, signal: Signal | None, code: str, requests: int = 1) -> None:
        """So many requests were answered so."""
        ...

    def count_defect(self, transport: str, requests: int = 1) -> None:
        """So many met a defect."""
        ...


@dataclass(slots=True)
class _Worker:
    """One place among the workers, and the process that has it now."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    channel: Channel | None = None
    serves: bool = False
    waiting_bytes: int = 0
    silence: float = 0.0  # seconds, of those in which we listened
    asked: list[tuple[int, asyncio.Future[Sequence[str]]]] = field(default_factory=list)

    def answer(self, until: int, problems: Sequence[str]) -> None:
        """Tell those who wait whether the terms are followed, up to a round."""
        for number, asked in self.asked:
            if number <= until and not asked.done():
                asked.set_result(problems)
        self.asked = [(number, asked) for number, asked in self.asked if number > until]


class Workers:
    """The workers of one gateway. Its methods belong to one event loop's thread.

    `addresses` are the host:port that they listen on, by protocol; `restarts` counts those that died and were started
    anew.
    """

    def __init__(
        self,
        count: int,
        behind: TakesOver,
        counts: Counts,
        clock: Clock,
        logger: FilteringBoundLogger,
        *,
        limit_bytes: int,
        level: str,
    ) -> None:
        """`limit_bytes` is what the gateway may hold as a whole; `level` is the log's."""
        self._workers = [_Worker(number) for number in range(1, count + 1)]
        self._behind = behind
        self._counts = counts
        self._clock = clock
        self._logger = logger
        self._limit_bytes = limit_bytes
        self._level = level
        self._terms: Terms | None = None
        self._ports: list[socket.socket] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._telling: asyncio.Task[None] | None = None
        self._taking: set[asyncio.Task[None]] = set()
        self._started = False
        self._stopping = asyncio.Event()
        self.addresses: dict[str, str] = {}
        self.restarts = 0

    @property
    def count(self) -> int:
        """How many there are to be."""
        return len(self._workers)

    @property
    def serving(self) -> int:
        """How many receive and redact."""
        return sum(each.serves for each in self._workers)

    @property
    def waiting_bytes(self) -> int:
        """What they have under way, as they told last."""
        return sum(each.waiting_bytes for each in self._workers)

    async def start(self, protocols: Protocols, redaction: Redaction, rules: CompiledRules) -> None:
        """Have all of them receive. Raises OSError for a port that is taken, ConfigError for all else in the way."""
        wanted = protocols.model_dump(mode="json", exclude_none=True)
        for name, key in (("grpc", GRPC_KEY), ("http", HTTP_KEY)):
            if name in wanted:
                held, self.addresses[name] = reserve(wanted[name]["endpoint"], key)
                self._ports += held
                wanted[name]["endpoint"] = self.addresses[name]
        share = self._limit_bytes // (2 * len(self._workers))
        self._terms = Terms(0, {}, wanted, "", self._limit_bytes, share)
        self._terms = self._changed(self._terms, redaction, rules)
        answers = [self._ask(each) for each in self._workers]
        self._keepers = [asyncio.create_task(self._keep(each), name=f"worker {each.number}") for each in self._workers]
        self._telling = asyncio.create_task(self._tell_load(), name="tell workers")
        problems = ["workers: they were not ready in time; the log says more."]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                problems = await _problems(answers)
        if problems:
            await self.stop(0)
            raise ConfigError(problems)
        self._started = True

    async def follow(self, redaction: Redaction, rules: CompiledRules) -> list[str]:
        """Have all of them redact by other rules; return why some cannot, which refuse every request from now on.

        One that is being started anew follows when it is there.
        """
        if self._terms is None:
            return []
        self._terms = self._changed(self._terms, redaction, rules)
        answers = []
        for each in self._workers:
            if each.channel is not None:
                answers.append(self._ask(each))
                each.channel.send(self._terms)
        return await _problems(answers)

    async def stop(self, grace: float) -> None:
        """Have them finish what is under way within `grace` seconds, and end; then finish what they handed over."""
        self._stopping.set()
        for each in self._workers:
            if each.channel is not None:
                each.channel.send(Stop(grace))
        if self._keepers:
            _, late = await asyncio.wait(self._keepers, timeout=grace + _EXIT_SECONDS)
            if late:
                self._logger.error("workers_killed", workers=[e.number for e in self._workers if e.process is not None])
            for each in self._workers:
                if each.process is not None:
                    each.process.kill()
            await asyncio.gather(*self._keepers)
        if self._telling is not None:
            self._telling.cancel()
        await asyncio.gather(*self._taking)
        for port in self._ports:
            port.close()

    def _changed(self, terms: Terms, redaction: Redaction, rules: CompiledRules) -> Terms:
        return replace(
            terms,
            round=terms.round + 1,
            redaction=redaction.model_dump(mode="json", exclude_none=True),
            fingerprint=fingerprint(rules),
        )

    def _ask(self, worker: _Worker) -> "asyncio.Future[Sequence[str]]":
        answer: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
        worker.asked.append((0 if self._terms is None else self._terms.round, answer))
        return answer

    async def _keep(self, worker: _Worker) -> None:
        """Keep a process in one place, until the stop."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            begun = self._clock.monotonic()
            try:
                code = await self._live(worker)
            except OSError as error:  # the system has no process or no socket for us
                code = None
                self._logger.error("worker_not_started", worker=worker.number, **logs.frames(error))
            worker.answer(sys.maxsize, [] if self._started else ["A worker ended while it started: the log says more."])
            if self._stopping.is_set():
                return
            self._logger.error("worker_died", worker=worker.number, exit_code=code, again_in=pause)
            if self._clock.monotonic() - begun > _LONG_LIFE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            try:
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
            except TimeoutError:
                self.restarts += 1
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                return

    async def _live(self, worker: _Worker) -> int | None:
        """Start a process, serve it until its end, and return its exit code."""
        gone: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        channel = Channel(lambda frame: self._received(worker, channel, frame), gone.set_result)
        ours, theirs = socket.socketpair()
        await channel.open(ours)
        worker.channel = channel
        try:
            with theirs:
                worker.process = self._spawn(worker.number, theirs.fileno())
            if self._terms is not None:
                channel.send(self._terms)
            if self._stopping.is_set():
                channel.send(Stop(0))
            if (error := await gone) is not None:
                self._logger.error("worker_not_understood", worker=worker.number, **logs.frames(error))
        finally:
            channel.close()
            worker.channel, worker.serves, worker.waiting_bytes = None, False, 0
            worker.silence = 0.0
        return await self._buried(worker)

    def _spawn(self, number: int, descriptor: int) -> "subprocess.Popen[bytes]":
        # Workers read what strangers send, and have no need of the key to what waits on the disk.
        environment = {name: value for name, value in os.environ.items() if name != keys.VARIABLE}
        return subprocess.Popen(  # noqa: S603 - our own interpreter and words
            [sys.executable, "-P", "-m", "spansieve.workers", str(number), str(descriptor), self._level],
            stdin=subprocess.DEVNULL,
            env=environment,
            pass_fds=(descriptor,),
            process_group=0,  # Ctrl-C is for the owner
        )

    async def _buried(self, worker: _Worker) -> int | None:
        """Make sure that a process whose connection is gone ends, and return its exit code."""
        if (process := worker.process) is None:
            return None
        try:
            return await asyncio.to_thread(process.wait, _EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return await asyncio.to_thread(process.wait)
        finally:
            worker.process = None

    def _received(self, worker: _Worker, channel: Channel, frame: Frame) -> None:
        worker.silence = 0.0
        match frame:
            case Handed():
                task = asyncio.create_task(self._take(channel, frame))
                self._taking.add(task)
                task.add_done_callback(self._taking.discard)
            case Counted(requests, defects, waiting_bytes):
                worker.waiting_bytes = waiting_bytes
                for transport, signal, code, count in requests:
                    self._counts.count_request(transport, Signal(signal) if signal else None, code, count)
                for transport, count in defects.items():
                    self._counts.count_defect(transport, count)
            case Ready(number):
                worker.serves = True
                worker.answer(number, [])
            case Unable(number, problems):
                worker.serves = False
                self._logger.error("worker_cannot_follow", worker=worker.number, problems=problems)
                worker.answer(number, problems)
            case _:
                raise TypeError(f"an owner is not told {type(frame).__name__}")

    async def _take(self, channel: Channel, handed: Handed) -> None:
        """Take a request over, and tell the worker that sent it, if it still is there."""
        number = handed.number
        try:
            await self._behind.take_over(handed)
        except Unavailable as error:
            taken = Taken(number, Refused(error.description, error.reason, error.retry_after))
        except Exception as error:  # noqa: BLE001 - the sender is told, and a defect is logged
            self._logger.error("take_over_failed", signal=handed.signal, **logs.frames(error))
            taken = Taken(number, failed=True)
        else:
            taken = Taken(number)
        channel.send(taken)

    async def _tell_load(self) -> None:
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            load = Load(self._behind.held_bytes)
            for each in self._workers:
                self._listen(each)
                if each.channel is not None and not each.channel.is_behind:
                    each.channel.send(load)

    def _listen(self, worker: _Worker) -> None:
        """Kill a process of which nothing was heard for long: it is started anew like one that died by itself."""
        worker.silence += _TELL_SECONDS  # not by the clock: when we did not listen, it may have spoken
        longest = _LONGEST_SILENCE_SECONDS if worker.serves else _START_SECONDS
        if worker.silence > longest and worker.process is not None:
            self._logger.error("worker_hangs", worker=worker.number, silent_seconds=round(worker.silence))
            worker.process.kill()
            worker.silence = 0.0


async def _problems(answers: Sequence["asyncio.Future[Sequence[str]]"]) -> list[str]:
    """All that is in the way of any, each thing once."""
    return list(dict.fromkeys([problem for told in await asyncio.gather(*answers) for problem in told]))
