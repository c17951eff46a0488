"""Mutants that no test can notice, and why.

Lives here: by `module what`, the reason. They count as survivors all the same. Must not live here:
mutants that a test could notice: those need the test.
"""

from __future__ import annotations

REASONS: dict[str, str] = {
    "messages LtE in `min(limits.second_max, limits.minute_max, limits.day_max)...`": (
        "counting where nothing binds finds the same room"
    ),
    "messages False for True": "the three tuples that are walked together are of one length",
    "returns Mult in `value_units // MILLION`": (
        "high and low then add up to the same without an overflow, and Python has none"
    ),
    "returns Lt in `loss <= worst[last]`": "a loss equal to the last one takes its place: the same",
    "returns LtE in `worst[j - 1] < loss`": "equal losses change places: the same",
    "risk_sums without `self._worst = array('q')`": "it is set again before it is read",
    "risk_sums without `self._pairs[symbol, other] = known`": "told anew each time: the same",
}
