"""`spansieve` and `python -m spansieve`."""

import sys

from spansieve.cli import main

if __name__ == "__main__":
    sys.exit(main())
