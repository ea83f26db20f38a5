"""`python -m demo`: the tour."""

import sys

from demo.tour import main

if __name__ == "__main__":
    sys.exit(main())
