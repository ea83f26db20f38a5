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
    """Print every mistake on standard error, or else what looks wrong; 1 when there is a mistake."""
    try:
        settings = config.load(arguments.config, os.environ)
        rules = prepared.prepare(settings).rules
    except config.ConfigError as error:
        for problem in error.problems + (prepared.problems(error.sound) if error.sound else []):
            print(problem, file=sys.stderr)
        return 1
    for each in prepared.doubts(settings, rules):
        print(f"Perhaps not meant: {each.key}: {each.why}. Remedy: {each.remedy}.", file=sys.stderr)
    print(f"{arguments.config} is valid.")
    return 0
