"""`python -m trader`: the same as the console script `trader`."""

from __future__ import annotations

import sys

from trader.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
