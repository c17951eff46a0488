"""What a strategy's size asks for, as a share of equity, before any cap.

Lives here: exact arithmetic over a checked form, for the checks between keys and for
`policy check --equity`, with what it must assume where prices decide. Must not live here: caps and
smallest orders (`effective_sizes`), and the sizes of orders (`core.sizes`).

At a stop all that is certain to be paid is counted, as `core.risk` does: taker fee and the slippage
cap, in and out.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from trader.core.money import PPM
from trader.core.risk_curve import CONSERVATIVE_PPM, MOST_PPM, aggressive_ppm
from trader.policy.findings import Form, distance_share, opening
from trader.policy.venue_facts import VENUES

# Where a rule or a file decides how far the stop is.
STOP_ASSUMED = Decimal("0.05")
# Of a year; about that of the large coins.
VOLATILITY_ASSUMED = Decimal("0.6")
CENTS = 100


def fee_of(form: Form) -> Decimal:
    """The venue's usual taker fee."""
    return VENUES[form["app"]["exchange"]["name"]].fee_taker


def lost_at(form: Form, stop: Fraction) -> Fraction:
    """What a stop so far below the close loses, share of what the entry cost.

    Bought at the close raised by the slippage cap, sold at the stop lowered by it, both with fee.
    """
    slippage, fee = Fraction(form["policy"]["limits"]["slippage"]), Fraction(fee_of(form))
    kept = (1 - stop) * (1 - slippage) * (1 - fee) / ((1 + slippage) * (1 + fee))
    return 1 - kept


def assumed_stop(row: Mapping[str, Any]) -> Fraction:
    """How far a strategy's stop is, share of the price; what is assumed where nobody knows."""
    stop = distance_share(row["stop"])
    return Fraction(STOP_ASSUMED if stop is None else stop)


def risked_share(row: Mapping[str, Any], used: Decimal | None) -> Fraction | None:
    """What a size loses to the stop, share of equity; None where its method does not say.

    `used`: what may be worked with; None: not known, and the largest share counts. Of kelly, its
    cap: what it really is, only results tell.
    """
    size = row["size"]
    if size["method"] == "risk":
        return Fraction(size["loss"])
    if size["method"] == "kelly":
        return Fraction(size["loss_max"])
    if size["method"] == "conservative":
        return Fraction(CONSERVATIVE_PPM, PPM)
    if size["method"] == "aggressive":
        most = MOST_PPM if used is None else aggressive_ppm(int(used * CENTS), CENTS)
        return Fraction(most, PPM)
    return None


def asked_share(form: Form, row: Mapping[str, Any], used: Decimal | None) -> Fraction | None:
    """The value that a size asks for, share of equity, its fee included.

    None for a fixed amount of an account that is not known, or of nothing.
    """
    size, risked = row["size"], risked_share(row, used)
    if risked is not None:
        return risked / lost_at(form, assumed_stop(row))
    if size["method"] == "fixed":
        return Fraction(size["notional"]) / Fraction(used) if used else None
    share = Fraction(size["equity_share"])
    if size["method"] == "volatility":
        return min(share, Fraction(size["volatility"]) / Fraction(VOLATILITY_ASSUMED))
    if size["method"] == "risk_parity":
        return share / parts_of(form, row)
    return share


def parts_of(form: Form, row: Mapping[str, Any]) -> int:
    """How many parts share the risk, at least one: weights are assumed to be equal."""
    if row["size"]["across"] == "strategies":
        alike = [
            1
            for _, other in opening(form)
            if (other["size"]["method"], other["size"].get("across"))
            == ("risk_parity", "strategies")
        ]
        return max(1, len(alike))
    if row["tier"]:
        tier = form["universe"]["tiers"][row["tier"]]
        return max(1, int(tier["take"]) or len(tier["pairs"]))
    return max(1, len(row["instruments"]))


def what_is_assumed(row: Mapping[str, Any]) -> str:
    """What of a strategy's size only prices or results tell, and what is assumed of it; "" for
    nothing."""
    method, told = row["size"]["method"], list[str]()
    if method in {"risk", "conservative", "aggressive", "kelly"} and (
        distance_share(row["stop"]) is None
    ):
        told.append(f"a stop of {STOP_ASSUMED:.0%}")
    if method == "kelly":
        told.append(
            f"results that allow loss_max (nothing below {row['size']['trades_min']} trades)"
        )
    if method == "volatility":
        told.append(f"a volatility of {VOLATILITY_ASSUMED:.0%} a year")
    if method == "risk_parity":
        told.append("parts of equal risk")
    return " and ".join(told)
