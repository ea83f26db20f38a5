"""`spansieve` and `python -m spansieve`."""

import os
import sys

# One thread reads names, and the cores are for others: before numpy is loaded, which starts a thread a core otherwise.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# gRPC would write every header to standard error, senders' tokens and ours among them: before it is loaded.
os.environ.pop("GRPC_TRACE", None)
# Nor what it says of calls that it refuses, with senders' words in it, between our lines of JSON.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from spansieve import cli, memory


def main() -> int:
    """Run the command that the command line names, in a process of its own; its exit code."""
    memory.keep_private()
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
