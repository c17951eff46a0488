"""From options to what wiring takes.

Lives here: reading standard input for `-c -`, overrides that a command stands for, and the mode
that errors name from then on. Must not live here: any meaning of a policy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from trader.cli.output import spoken_mode
from trader.wiring import Setup, SetupOptions, load_setup


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


def account_setup(options: SetupOptions, *, decides: bool = True) -> Setup:
    """The policy's account; whatever goes wrong after this is said with its mode.

    `decides`: false where no strategy is asked, so that none of their files is loaded.
    """
    setup = load_setup(options, decides=decides)
    spoken_mode.set(setup.run.parameters.mode)
    return setup
