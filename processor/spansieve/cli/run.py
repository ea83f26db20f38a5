"""`spansieve run`: the gateway, until SIGTERM or SIGINT."""

import argparse
import asyncio
import os
from pathlib import Path

from spansieve import app, config, process


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML; without it, every key has its default")


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop; 0 after an orderly stop."""
    process.forbid_core_dumps()

    def load() -> config.GatewayConfig:
        return config.load(arguments.config, os.environ)

    with asyncio.Runner(loop_factory=process.loop_factory()) as runner:
        return runner.run(app.serve(load, arguments.config))
