"""Numbers as a checked form keeps them -> integers.

Lives here: the few conversions that every builder needs. Imports neither yaml nor pydantic, nor
`quantities`, which costs a cycle more to import than all of this. Must not live here: keys.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}


def ppm(share: str) -> int:
    """Millionths of a share as the form keeps it: plain decimal text of at most six places."""
    return int(Decimal(share).scaleb(6))


def ms(duration: str) -> int:
    """Milliseconds of a duration as the form keeps it: digits and a unit."""
    digits = duration.rstrip("dhms")
    return int(digits) * UNITS_MS[duration[len(digits) :]]


def milli_up(number: str) -> int:
    """Thousandths of a decimal, rounded up: a least that is asked for gets no smaller."""
    return int(Decimal(number).scaleb(3).to_integral_value(ROUND_CEILING))
