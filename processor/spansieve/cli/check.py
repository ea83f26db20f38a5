"""`spansieve check`: everything that `run` would refuse at its start, found without starting."""

import argparse
import os
import sys
from pathlib import Path

from spansieve import config, prepared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--config", type=Path, metavar="FILE", required=True, help="the YAML file to check")


def run(arguments: argparse.Namespace) -> int:
    """Print every mistake on standard error; 1 when there is one."""
    try:
        problems = prepared.problems(config.load(arguments.config, os.environ))
    except config.ConfigError as error:
        problems = error.problems + (prepared.problems(error.sound) if error.sound else [])
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    print(f"{arguments.config} is valid.")
    return 0
