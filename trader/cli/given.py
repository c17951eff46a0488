"""From options to what wiring takes.

Lives here: reading standard input for `-c -`, and overrides that a command stands for. Must not
live here: any meaning of a policy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from trader.wiring import SetupOptions


def setup_options(
    config: Sequence[str],
    state_dir: str,
    now: str = "",
    overrides: Mapping[str, str] | None = None,
) -> SetupOptions:
    """What the command line says; `overrides` are TRADER__SECTION__KEY variables of a command."""
    stdin = sys.stdin.read() if "-" in config else None
    env = {**os.environ, **(overrides or {})}
    return SetupOptions(tuple(config), state_dir, now, stdin, env)
