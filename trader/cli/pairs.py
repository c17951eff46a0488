"""A pair as it is typed on the command line.

Lives here: one reading of it, with the policy's own words. Must not live here: which pairs exist.
"""

from __future__ import annotations

from trader.errors import UsageError


def pair_of(typed: str) -> str:
    """`BTC/USDT`; `BTC-USDT` is understood too. Raises UsageError for anything else."""
    from trader.policy.fields import BadText, Pair

    try:
        return Pair().convert(typed)
    except BadText as error:
        raise UsageError(error.message, error.hint) from error
