"""`spansieve run`: the gateway, until SIGTERM or SIGINT."""

import argparse
import asyncio
import importlib
import os
import resource
from collections.abc import Callable
from pathlib import Path

from spansieve import app, config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML; without it, every key has its default")


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop; 0 after an orderly stop."""
    # A core dump would hold raw prompts.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))

    def load() -> config.GatewayConfig:
        return config.load(arguments.config, os.environ)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(app.serve(load, arguments.config))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:  # not made for this platform; asyncio's own loop gives the same answers, slower
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
