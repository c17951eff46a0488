"""Rules of instruments for a back-test: from a JSON file, or from the policy's venue.

Lives here: reading `--instruments`. Must not live here: what the rules mean.
"""

from __future__ import annotations

import json
from decimal import InvalidOperation
from pathlib import Path

from trader.core.state import instrument_of
from trader.domain.instrument import Instrument
from trader.errors import UsageError
from trader.wiring import SetupOptions, fetch_rules, load_setup

# What is said instead of a file's name.
VENUE = "venue"


def rules_of(given: str, options: SetupOptions) -> dict[str, Instrument]:
    """Instruments by symbol: none for "", the venue's listing for `venue`, else a file's.

    Raises UsageError, VenueUnavailable, VenueRefused.
    """
    if not given:
        return {}
    if given == VENUE:
        return fetch_rules(load_setup(options, decides=False))
    return read_rules(given)


def read_rules(path: str) -> dict[str, Instrument]:
    """Instruments from JSON: a list of rows, as the journal's `instrument` entries hold them."""
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))
        return {str(row["symbol"]): instrument_of(row) for row in rows}
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "name a readable file") from error
    except (ValueError, KeyError, TypeError, InvalidOperation) as error:
        raise UsageError(
            f"{path} is not a JSON list of instruments ({type(error).__name__}: {error})",
            "each needs symbol, base, quote, tick, lot, qty_min, qty_max, notional_min, "
            "fee_taker, fee_maker and active",
        ) from error
