"""Importing this first makes the core run from its sources in this process.

Lives here: one variable of the environment. Must not live here: anything that imports the program.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ["TRADER_INTERPRETED"] = "1"
