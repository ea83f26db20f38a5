"""`spansieve run`: the gateway, until SIGTERM or SIGINT."""

import argparse
import asyncio
import os
import signal
from pathlib import Path

from spansieve import config, logs, process
from spansieve.app import Gateway
from spansieve.clock import SystemClock
from spansieve.reload import Source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML; without it, every key has its default")


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop; 0 after an orderly stop, 1 when a defect of ours ended it: to be started anew."""
    process.allow_open_files()
    source = Source(lambda: config.load(arguments.config, os.environ), arguments.config)
    with asyncio.Runner(loop_factory=process.loop_factory()) as runner:
        return runner.run(_serve(source))


async def _serve(source: Source) -> int:
    """Run the gateway until told to stop; the configuration is read again at SIGHUP and when a file of it changes."""
    settings = await source.read()
    logger = logs.configure(settings.telemetry.logs.level)
    logs.tell_what_nobody_caught(logger)
    gateway = Gateway(settings, SystemClock(), logger)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: gateway.reload_soon(source.read))
    await gateway.start()
    process.settle_in()
    watching = asyncio.create_task(source.follow(lambda: gateway.reload(source.read)), name="watch files")
    collect = asyncio.create_task(process.collect_garbage(), name="collect garbage")
    await stop.wait()
    watching.cancel()
    collect.cancel()
    await gateway.stop()
    return 1 if gateway.ended_by_defect else 0
