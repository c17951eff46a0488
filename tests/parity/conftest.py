"""The proofs' random worlds, for quick forms of them."""

from __future__ import annotations

import sys
from pathlib import Path

PROVE = str(Path(__file__).parents[2] / "scripts" / "prove")
if PROVE not in sys.path:
    sys.path.insert(0, PROVE)
