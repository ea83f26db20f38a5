"""`spansieve` and `python -m spansieve`."""

import os
import sys

# One thread reads names, and the cores are for others: before numpy is loaded, which starts a thread a core otherwise.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from spansieve.cli import main

if __name__ == "__main__":
    sys.exit(main())
