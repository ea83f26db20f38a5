"""The process of a worker: `python -m spansieve.workers NUMBER FD LEVEL`, as the owner starts it and nobody else."""

import asyncio
import signal
import socket
import sys

from spansieve import logs, memory, process
from spansieve.clock import SystemClock
from spansieve.workers.worker import Worker


def main() -> None:
    """Serve on the connection that was inherited as file FD, and log at LEVEL."""
    memory.keep_private()
    process.allow_open_files()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the owner says when, and is heard to end
    name, descriptor, level = sys.argv[1:]
    logger = logs.configure(level, worker=int(name))
    logs.tell_what_nobody_caught(logger)

    async def serve() -> None:
        await Worker(SystemClock(), logger).run(socket.socket(fileno=int(descriptor)))

    with asyncio.Runner(loop_factory=process.loop_factory()) as runner:
        runner.run(serve())


if __name__ == "__main__":
    main()
