"""What each strategy would really trade on an account of a given size, and from which size on.

Lives here: exact arithmetic over a checked form: the size a strategy asks for, every cap that binds
by name, what is left, whether a venue takes an order that small, what is lost at the stop, the
smallest account that can trade. Must not live here: printing, or a decision (sizes of orders are
made by `core.sizing`, from prices and lots that a policy does not know).

Assumptions, each stated in the result: full signal strength, the most favourable regime, the
venue's usual taker fee and smallest order, and what only prices tell (see `size_shares`); lots are
not known, and may take off up to one lot.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from trader.policy.findings import (
    Form,
    distance_share,
    opening,
    percent,
    risk_by_tier,
    tiers_of,
)
from trader.policy.size_shares import (
    asked_share,
    assumed_stop,
    fee_of,
    lost_at,
    risked_share,
    what_is_assumed,
)
from trader.policy.venue_facts import VENUES
from trader.records import dataclass

# From here on the aggressive profile risks less than it does on a small account.
CURVE_BEGINS = 10_000
LARGE = Decimal(1_000_000_000)


@dataclass(frozen=True, slots=True)
class Cap:
    """One limit on a position: the key that says it, as a share of equity."""

    name: str
    share: Fraction


@dataclass(frozen=True, slots=True)
class StrategySize:
    """One strategy on one account; amounts in the settlement currency.

    Attributes:
        method: of its size; asked: what that asks for, share of equity, `wanted` as an amount;
            share: what all caps leave of it. risked: what the method means to lose to the stop,
            share of equity; None when it says nothing of losses.
        assumed: "" or what of it had to be assumed, in words.
        binds: the caps below its size, tightest first.
        order: value of the order that is left, its fee taken off; rounded down to cents.
        least: smallest order that would be sent; least_by: the key (or the venue) that says so.
        trades: whether `order` reaches `least` and nothing closes the strategy.
        stop: distance of the stop as a share, None when a rule or file decides it.
        loss: what is lost of `order` at the stop, without fees and slippage, loss_all: with both,
            in and out; rounded up to cents; None when the distance is not known.
        needs: what must be there to work with, for the smallest order; None when closed.
        account_min: smallest account on which it trades; account_always: from here on it does in
            every regime that opens it; None when there is none.
        closed: why it can trade on no account, "" when it can. large: "" or why its order is
            refused on this one, which is too large for it.
    """

    name: str
    method: str
    asked: Fraction
    wanted: Decimal
    share: Fraction
    risked: Fraction | None
    assumed: str
    binds: tuple[Cap, ...]
    order: Decimal
    least: Decimal
    least_by: str
    trades: bool
    stop: Decimal | None
    loss: Decimal | None
    loss_all: Decimal | None
    needs: Decimal | None
    account_min: Decimal | None
    account_always: Decimal | None
    closed: str
    large: str


@dataclass(frozen=True, slots=True)
class EffectiveSizes:
    """Every strategy that may open positions, on one account.

    Attributes:
        quote: settlement currency. equity: as asked for; used: what app.capital leaves of it.
        fee, costs: taker fee of one order, and fees and slippage of a round trip; shares.
        account_min: from here on the first strategy trades; account_all: from here on all that can
            trade do. None when none can.
    """

    quote: str
    equity: Decimal
    used: Decimal
    fee: Decimal
    costs: Decimal
    rows: tuple[StrategySize, ...]
    account_min: Decimal | None
    account_all: Decimal | None


def effective_sizes(form: Form, equity: Decimal) -> EffectiveSizes:
    """The sizes of a checked form on an account worth `equity` (>= 0)."""
    capital = form["app"]["capital"]
    used = equity if capital == "all" else min(equity, Decimal(capital))
    rows = tuple(strategy_size(form, name, used) for name, _ in opening(form))
    starts = [row.account_min for row in rows if row.account_min is not None]
    return EffectiveSizes(
        form["app"]["quote"],
        equity,
        used,
        fee_of(form),
        round_trip_costs(form),
        rows,
        min(starts, default=None),
        max(starts, default=None),
    )


def round_trip_costs(form: Form) -> Decimal:
    """Taker fee and slippage cap, in and out, as a share of a position's value."""
    return 2 * (fee_of(form) + Decimal(form["policy"]["limits"]["slippage"]))


def strategy_size(form: Form, name: str, used: Decimal) -> StrategySize:
    """One strategy on an account of which `used` may be worked with."""
    row = form["strategies"][name]
    found = asked_share(form, row, used)
    # A fixed amount of nothing: any share.
    asked = Fraction(1_000_000) if found is None else found
    stop = distance_share(row["stop"])
    share, binds = _best(form, row, asked)
    least, least_by = least_order(form, row)
    order = cents_down(Fraction(used) * share / (1 + Fraction(fee_of(form))))
    closed = why_closed(form, row) or _too_much_lost(form, row, share, stop)
    starts = None if closed else _starts(form, row, least)
    needs, always = starts or (None, None)
    if starts is not None and needs is None:
        closed = f"its size is below {least_by} {least} on any account"
    capital = form["app"]["capital"]
    most = None if capital == "all" else Decimal(capital)
    short = needs is not None and most is not None and needs > most
    closed = f"app.capital {capital} is too small" if short else closed
    large = _too_large(form, order)
    wanted = Fraction(used) * asked if found is not None else Fraction(row["size"]["notional"])
    return StrategySize(
        name,
        row["size"]["method"],
        asked,
        cents_down(wanted),
        share,
        risked_share(row, used),
        what_is_assumed(row),
        binds,
        order,
        least,
        least_by,
        not closed and not large and order >= least,
        stop,
        None if stop is None else cents_up(Fraction(order) * Fraction(stop)),
        None if stop is None else _lost(form, order, Fraction(stop)),
        needs,
        None if short else needs,
        None if always is None or (most is not None and always > most) else always,
        closed,
        large,
    )


def _lost(form: Form, order: Decimal, stop: Fraction) -> Decimal:
    """What an order of that value loses at its stop, fees and slippage both ways included."""
    cost = Fraction(order) * (1 + Fraction(fee_of(form)))
    return cents_up(cost * lost_at(form, stop))


def _starts(
    form: Form, row: Mapping[str, Any], least: Decimal
) -> tuple[Decimal | None, Decimal | None]:
    """The smallest account whose order reaches `least`, at best and in every regime that opens the
    strategy; None where no account's does."""
    cost = Fraction(least) * (1 + Fraction(fee_of(form)))
    small, large = asked_share(form, row, Decimal(0)), asked_share(form, row, LARGE)
    if small is None or large is None:
        return _starts_of_amount(form, row, cost)
    found: list[Decimal] = []
    for leaves in (_best_share, _worst):
        start = cents_up(cost / leaves(form, row, small))
        # The aggressive profile risks less of a larger account: then its smallest share counts.
        past = start > CURVE_BEGINS and large < small
        found.append(cents_up(cost / leaves(form, row, large)) if past else start)
    return found[0], found[1]


def _starts_of_amount(
    form: Form, row: Mapping[str, Any], cost: Fraction
) -> tuple[Decimal | None, Decimal | None]:
    """The same of a fixed amount: it must itself be enough, then the caps on an account decide."""
    amount, risks = Fraction(row["size"]["notional"]), risk_by_tier(form)
    starts = [
        cents_up(cost / min(cap.share for cap in caps))
        for tier, caps in _caps_by_tier(form, row)
        if amount * Fraction(risks[tier]) >= cost
    ]
    best = min(starts, default=None)
    return best, best if amount * _least_risk(form, row) >= cost else None


def _best_share(form: Form, row: Mapping[str, Any], asked: Fraction) -> Fraction:
    return _best(form, row, asked)[0]


def _best(form: Form, row: Mapping[str, Any], asked: Fraction) -> tuple[Fraction, tuple[Cap, ...]]:
    """What the caps leave of a size in the tier that leaves most, and those that bind there."""
    risks = risk_by_tier(form)
    found: list[tuple[Fraction, tuple[Cap, ...]]] = []
    for name, tier_caps in _caps_by_tier(form, row):
        caps = list(tier_caps)
        if risks[name] < 1:
            caps.append(Cap("universe.regime", asked * Fraction(risks[name])))
        binds = sorted((cap for cap in caps if cap.share < asked), key=lambda cap: cap.share)
        found.append((min([asked, *(cap.share for cap in caps)]), tuple(binds)))
    return max(found, key=lambda one: one[0], default=(asked, ()))


def _caps_by_tier(form: Form, row: Mapping[str, Any]) -> list[tuple[str, list[Cap]]]:
    """The tiers that a strategy may trade, each with all the caps on a position's value in it."""
    tiers, common = form["universe"]["tiers"], caps_of(form, row)
    weights = [
        (name, Cap(f"universe.tiers.{name}.weight", Fraction(tiers[name]["weight"])))
        for name in tiers_of(form, row)
    ]
    return [(name, [*common, weight]) for name, weight in weights]


def _worst(form: Form, row: Mapping[str, Any], asked: Fraction) -> Fraction:
    """What is left of a size in the regime that opens one of its tiers and leaves least."""
    return min(_best_share(form, row, asked), asked * _least_risk(form, row))


def _least_risk(form: Form, row: Mapping[str, Any]) -> Fraction:
    """The smallest factor that some regime gives entries of the strategy's tiers; 1 without one."""
    regime, own = form["universe"]["regime"], set(tiers_of(form, row))
    states = regime["states"].values() if regime else ()
    risks = [Fraction(state["risk"]) for state in states if own & set(state["tiers"])]
    return min((risk for risk in risks if risk > 0), default=Fraction(1))


def _too_large(form: Form, order: Decimal) -> str:
    """Why an order is above the largest that may be sent, "" when it is not: it is refused whole,
    not cut."""
    most = Decimal(form["policy"]["limits"]["order_value_max"])
    if order <= most:
        return ""
    return f"an order of {order} is above policy.limits.order_value_max {most}"


def cents_down(value: Fraction) -> Decimal:
    """Whole cents not above an amount."""
    return Decimal(floor(value * 100)).scaleb(-2)


def cents_up(value: Fraction) -> Decimal:
    """Whole cents not below an amount."""
    return Decimal(ceil(value * 100)).scaleb(-2)


def caps_of(form: Form, row: Mapping[str, Any]) -> list[Cap]:
    """Limits on the value of one position in any tier and regime, as shares of equity."""
    limits, budget = form["policy"]["limits"], row["budget"]
    caps = [
        Cap("policy.limits.position", Fraction(limits["position"])),
        Cap("policy.limits.exposure_max", Fraction(limits["exposure_max"])),
        Cap("budget.exposure", Fraction(budget["exposure"])),
    ]
    # A budget that is left out is the account's limit: named once, as what it is.
    return caps[:2] if caps[2].share == caps[1].share else caps


def least_order(form: Form, row: Mapping[str, Any]) -> tuple[Decimal, str]:
    """The smallest order that would be sent, and who says so."""
    venue = form["app"]["exchange"]["name"]
    floors = (
        (
            Decimal(form["policy"]["limits"]["order_notional_min"]),
            "policy.limits.order_notional_min",
        ),
        (Decimal(row["size"]["notional_min"]), "size.notional_min"),
        (VENUES[venue].notional_min, venue),
    )
    return max(floors, key=lambda floor: floor[0])


def why_closed(form: Form, row: Mapping[str, Any]) -> str:
    """Why a strategy can trade on no account, "" when it can."""
    limits, budget = form["policy"]["limits"], row["budget"]
    for name, value in (
        ("policy.limits.positions_max", limits["positions_max"]),
        ("policy.limits.trades_per_hour_max", limits["trades_per_hour_max"]),
        ("policy.limits.trades_per_day_max", limits["trades_per_day_max"]),
        ("budget.positions_max", budget["positions_max"]),
        ("budget.trades_per_day_max", budget["trades_per_day_max"]),
    ):
        if value == 0:
            return f"{name} is 0"
    for name in ("exposure", "loss"):
        if Decimal(budget[name]) == 0:
            return f"budget.{name} is 0"
    return _closed_tiers(form, row)


def _too_much_lost(
    form: Form, row: Mapping[str, Any], share: Fraction, stop: Decimal | None
) -> str:
    """Why one stop alone is above what may be lost, "" when it is not: such an entry is refused
    whole, not cut."""
    loss, risked = share * Fraction(stop or 0), risked_share(row, None)
    if risked is not None:
        loss = min(risked, share * lost_at(form, assumed_stop(row)))
    for name, most in (
        ("policy.limits.loss_max", form["policy"]["limits"]["loss_max"]),
        ("budget.loss", row["budget"]["loss"]),
    ):
        if loss > Fraction(most):
            return (
                f"one stop loses {percent(loss)} of equity, above {name} {percent(Fraction(most))}"
            )
    return ""


def _closed_tiers(form: Form, row: Mapping[str, Any]) -> str:
    """Why none of a strategy's tiers can be traded, "" when one can."""
    names = tiers_of(form, row)
    if not names:
        return f"tier {row['tier']} has no instruments" if row["tier"] else "it has no instruments"
    shown = " and ".join(names)
    tiers = form["universe"]["tiers"]
    if all(tiers[name]["positions_max"] == 0 for name in names):
        return f"positions_max of tier {shown} is 0"
    if all(Decimal(tiers[name]["weight"]) == 0 for name in names):
        return f"weight of tier {shown} is 0"
    risks = risk_by_tier(form)
    if all(risks[name] == 0 for name in names):
        return f"no regime opens tier {shown}"
    if all(
        not (tiers[name]["positions_max"] and Decimal(tiers[name]["weight"]) and risks[name])
        for name in names
    ):
        return f"each of the tiers {shown} is closed, by the regime or by a cap of 0"
    return ""
