"""What an example of a rule between keys is: the files with the contradiction, and without it.

Lives here: its type, short ways to write one, and texts that several examples share. Must not live
here: the tables (see `incoherent` and `incoherent_limits`, `incoherent_universe`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Example:
    """One contradiction and how it looks without it.

    Attributes:
        code: what must be found in `bad`, and must not be in `good`.
        place: file:line that it is shown at. part: of the message or its fix.
        warning: it is said, and the policy can be used.
    """

    code: str
    place: str
    part: str
    bad: dict[str, str]
    good: dict[str, str]
    warning: bool = False


def of_file(code: str, file: str, place: int, part: str, bad: str, good: str) -> Example:
    """An example in one file."""
    return Example(code, f"{file}.yaml:{place}", part, {file: bad}, {file: good})


def mild(example: Example) -> Example:
    """The same as a warning."""
    return replace(example, warning=True)


RULE = "dip:\n  enter: close < open\n"
TIERS = "tiers:\n  core: {pairs: [BTC/USDT, ETH/USDT]}\n"
REGIME = TIERS + "regime:\n  states:\n"
CALM = "    calm: {tiers: [core], risk: 100%}\n"
LOW = "close < 20000"
