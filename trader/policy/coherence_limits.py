"""Rules between the limits of policy.yaml, and between them and what strategies ask for.

Lives here: rates, sums, layers of stops and smallest orders, as shares of equity. Must not live
here: what belongs to the account, the universe or one strategy alone (see the other `coherence_`
modules).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from trader.policy.effective_sizes import caps_of, round_trip_costs
from trader.policy.findings import (
    Asked,
    Finding,
    Form,
    amount,
    distance_share,
    key,
    money_of,
    opening,
    percent,
    written,
)
from trader.policy.problems import Code
from trader.policy.quantities import share_ppm
from trader.policy.reading import Node
from trader.policy.size_shares import asked_share, lost_at, risked_share
from trader.policy.tree import find, walk

ALL = Decimal(1)


def _limit(name: str) -> tuple[str, ...]:
    return ("policy", "limits", name)


def _own(name: str, *keys: str) -> tuple[tuple[str, ...], ...]:
    """A key of a strategy, and where to point when its default is meant."""
    return (("strategies", name, *keys), ("strategies", name))


def limit_order(form: Form, _tree: Node) -> Iterator[Finding]:
    """Slippage of an exit below that of an entry, or above the collar."""
    limits = form["policy"]["limits"]
    for low, high, why in (
        ("slippage", "exit_slippage", "an exit's second attempt must not be narrower"),
        ("exit_slippage", "collar", "the collar would reject what the slippage allows"),
    ):
        if share_ppm(limits[low]) > share_ppm(limits[high]):
            paths = (_limit(high), _limit(low))
            message = f"{high} {limits[high]} is below {low} {limits[low]}: {why}"
            yield Finding(Code.LIMIT_ORDER, paths, message, f"write {limits[low]} or more")


def trades_rate(form: Form, _tree: Node) -> Iterator[Finding]:
    """A day's trades that its hours do not allow, or an hour's that its day does not."""
    limits = form["policy"]["limits"]
    hour, day = limits["trades_per_hour_max"], limits["trades_per_day_max"]
    paths = (_limit("trades_per_day_max"), _limit("trades_per_hour_max"))
    if day > 24 * hour:
        message = f"trades_per_day_max {day} is above 24 x trades_per_hour_max {hour} = {24 * hour}"
        hint = f"it is never reached: write {24 * hour} or less, or raise the hour's"
        yield Finding(Code.TRADES_RATE, paths, message, hint)
    elif hour > day:
        message = f"trades_per_hour_max {hour} is above trades_per_day_max {day}"
        hint = f"it is never reached: write {day} or less, or raise the day's"
        yield Finding(Code.TRADES_RATE, (paths[1], paths[0]), message, hint)


def pyramiding(form: Form, _tree: Node) -> Iterator[Finding]:
    """A strategy that may add to what it holds where the policy forbids it."""
    if form["policy"]["limits"]["pyramiding"]:
        return
    for name, row in form["strategies"].items():
        if row["pyramiding"]:
            message = "is true, but policy.limits.pyramiding is false"
            hint = "set both to true, or this one to false"
            yield Finding(Code.PYRAMIDING_DISAGREES, _own(name, "pyramiding"), message, hint)


def exposure_sum(form: Form, _tree: Node) -> Iterator[Finding]:
    """Open positions at their cap that are more than the account's exposure."""
    limits = form["policy"]["limits"]
    position, most = Decimal(limits["position"]), Decimal(limits["exposure_max"])
    count = limits["positions_max"]
    if position * count <= most:
        return
    message = (
        f"positions_max {count} x position {percent(position)} = {percent(position * count)} "
        f"is above exposure_max {percent(most)}"
    )
    fits = int(most / position)
    hint = f"write exposure_max {percent(min(ALL, position * count))}, or positions_max {fits}"
    if fits == 0 or position * count > ALL:
        hint = f"write position {percent((most / count).quantize(Decimal('0.0001')))} or less"
    paths = (_limit("exposure_max"), _limit("position"), _limit("positions_max"))
    yield Finding(Code.EXPOSURE_SUM, paths, message, hint)


def loss_sum(form: Form, _tree: Node) -> Iterator[Finding]:
    """A strategy's positions that lose more at their stops than the account may.

    Not of sizes that name a loss: how many of them fit is what loss_max then says.
    """
    limits = form["policy"]["limits"]
    most = Decimal(limits["loss_max"])
    for name, row in opening(form):
        stop = distance_share(row["stop"])
        if stop is None or risked_share(row, None) is not None:
            continue
        size, count = position_share(form, row), positions_of(form, row)
        loss = size * Fraction(stop) * count
        if loss > Fraction(most):
            message = (
                f"{count} positions of {percent(size)} with a stop of {percent(stop)} lose "
                f"{percent(loss)}, above policy.limits.loss_max {percent(most)}"
            )
            hint = "a nearer stop, a smaller size, fewer positions (budget.positions_max), or a "
            yield Finding(Code.LOSS_SUM, _own(name, "stop"), message, hint + "larger loss_max")


def position_share(form: Form, row: Mapping[str, Any]) -> Fraction:
    """The largest position that a strategy can have: its size below the caps on its value."""
    asked = asked_share(form, row, money_of(form)[0])
    caps = [cap.share for cap in caps_of(form, row)]
    return min(caps if asked is None else [asked, *caps])


def positions_of(form: Form, row: Mapping[str, Any]) -> int:
    """How many positions a strategy can have open."""
    return min(form["policy"]["limits"]["positions_max"], row["budget"]["positions_max"])


_BUDGETS = (
    ("exposure", "exposure_max"),
    ("loss", "loss_max"),
    ("positions_max", "positions_max"),
    ("trades_per_day_max", "trades_per_day_max"),
)


def budgets_sum(form: Form, tree: Node) -> Iterator[Finding]:
    """Budgets that promise more than the account has. Those left out share what there is."""
    for budget, limit in _BUDGETS:
        stated = [
            (name, Decimal(row["budget"][budget]))
            for name, row in opening(form)
            if written(tree, ("strategies", name, "budget", budget))
        ]
        most = Decimal(form["policy"]["limits"][limit])
        total = sum((value for _, value in stated), Decimal(0))
        if total <= most:
            continue
        shown = percent if limit in {"exposure_max", "loss_max"} else amount
        names = ", ".join(name for name, _ in stated)
        what = f"{names} may have {shown(total)}" if len(stated) == 1 else ""
        what = what or f"the budgets of {names} add up to {shown(total)}"
        message = f"{what}, above policy.limits.{limit} {shown(most)}"
        hint = f"lower budget.{budget}, or leave it out: then all share the account's limit"
        paths = (("strategies", stated[-1][0], "budget", budget), _limit(limit))
        yield Finding(Code.BUDGETS_SUM, paths, message, hint)


def notional_twice(form: Form, tree: Node) -> Iterator[Finding]:
    """A smallest order named for the account and for strategies: the smaller has no effect."""
    account = form["policy"]["limits"]["order_notional_min"]
    for name, row in form["strategies"].items():
        path = ("strategies", name, "size", "notional_min")
        text = row["size"]["notional_min"]
        if written(tree, path) and Decimal(text) < Decimal(account):
            message = f"{text} is below policy.limits.order_notional_min {account}, which counts"
            hint = f"remove it, write {account} or more, or lower order_notional_min"
            yield Finding(Code.NOTIONAL_TWICE, (path,), message, hint)
    own = [Decimal(row["size"]["notional_min"]) for _, row in opening(form)]
    if own and written(tree, _limit("order_notional_min")) and min(own) > Decimal(account):
        message = f"{account} has no effect: every strategy's size.notional_min is above it"
        hint = f"write {amount(min(own))}, or remove it from the strategies"
        yield Finding(Code.NOTIONAL_TWICE, (_limit("order_notional_min"),), message, hint, True)


def stop_layers(form: Form, _tree: Node) -> Iterator[Finding]:
    """Losses of equity in the wrong order: a position's stop, the day's, the draw-down."""
    limits = form["policy"]["limits"]
    day, most = Decimal(limits["day_stop"]), Decimal(limits["drawdown_max"])
    if ALL > day >= most:
        message = f"day_stop {percent(day)} is not below drawdown_max {percent(most)}"
        hint = "the draw-down would end what the day's stop should; write a smaller day_stop"
        yield Finding(Code.STOP_LAYERS, (_limit("day_stop"), _limit("drawdown_max")), message, hint)
    first, named = min((day, "day_stop"), (most, "drawdown_max"))
    for name, row in opening(form):
        stop, risked = distance_share(row["stop"]), risked_share(row, money_of(form)[0])
        size = position_share(form, row)
        if stop is None and risked is None:
            continue
        loss = size * Fraction(stop or 1)
        if risked is not None:
            loss = min(risked, size * lost_at(form, Fraction(stop or 1)))
        if first < ALL and loss >= Fraction(first):
            what = f"a size of {row['size']['method']}"
            if stop is not None:
                what = f"one stop of {percent(stop)} on a position of {percent(size)}"
            message = (
                f"{what} loses {percent(loss)} of equity, not below policy.limits.{named} "
                f"{percent(first)}"
            )
            hint = "a nearer stop or a smaller size: one loss must not end the day"
            paths = _own(name, "size") if stop is None else _own(name, "stop")
            yield Finding(Code.STOP_LAYERS, paths, message, hint)


def inside_costs(form: Form, _tree: Node) -> Iterator[Finding]:
    """Stops and targets that fees and slippage of both ways reach alone."""
    costs = round_trip_costs(form)
    venue, slippage = form["app"]["exchange"]["name"], form["policy"]["limits"]["slippage"]
    because = (
        f"taker fee of {venue} and slippage {percent(Decimal(slippage))}, in and out, are "
        f"{percent(costs)}"
    )
    for name, row in form["strategies"].items():
        texts = {what: row[what] for what in ("stop", "target", "trail", "break_even")}
        steps = [distance_share(step["at"]) for step in row["scale_out"]]
        nearest = min((step for step in steps if step is not None), default=None)
        distances = {what: distance_share(text) for what, text in texts.items()}
        for what, distance in {**distances, "scale_out": nearest}.items():
            if distance is not None and distance <= costs:
                message = f"{percent(distance)} is not more than what trading costs: {because}"
                hint = f"write more than {percent(costs)}"
                yield Finding(Code.STOP_INSIDE_COSTS, _own(name, what), message, hint)


_SHARES = ("position", "exposure_max", "loss_max", "day_stop", "drawdown_max")
_LARGE = frozenset({"position", "exposure_max", "drawdown_max", "exposure", "equity_share"})


def share_scale(form: Form, tree: Node) -> Iterator[Finding]:
    """A share that was probably meant a hundred times larger or smaller."""
    paths = [_limit(name) for name in _SHARES]
    for name in form["strategies"]:
        paths += [("strategies", name, "budget", what) for what in ("exposure", "loss")]
        paths.append(("strategies", name, "size", "equity_share"))
    for path in paths:
        text = text_at(tree, path)
        if text in {"1", "1.0"}:
            message, hint = f"{text} is the whole: 100%", "write 1% if that is meant, or 100%"
            yield Finding(Code.SHARE_SCALE, (path,), message, hint, True)
        elif path[-1] in _LARGE and text.startswith("0.") and text.endswith("%"):
            bare = text.rstrip("% ")
            message = f"{text} is {amount(Decimal(bare) * 100)}bps of equity"
            hint = f"did you mean {percent(Decimal(bare))}"
            yield Finding(Code.SHARE_SCALE, (path,), message, hint, True)


def text_at(tree: Node, path: tuple[str, ...]) -> str:
    """The text that was written for a key, "" when none was."""
    node = find(tree, path)
    return node.value if node is not None and isinstance(node.value, str) else ""


def cap_binds(form: Form, _tree: Node) -> Iterator[Finding]:
    """A size that one cap always cuts: what it says is never traded."""
    for name, row in form["strategies"].items():
        stop, money = distance_share(row["stop"]), money_of(form)[0]
        size, risked = asked_share(form, row, money), risked_share(row, money)
        least = min(caps_of(form, row), key=lambda cap: cap.share)
        # How far a rule's or a file's stop is, and so what a loss asks for, is not known.
        if size is None or least.share >= size or (stop is None and risked is not None):
            continue
        share_key = "equity_share" if "equity_share" in row["size"] else "method"
        what = "equity_share" if share_key == "equity_share" else f"method {row['size']['method']}"
        message = (
            f"{what} {percent(size)} is above what {least.name} allows, "
            f"{percent(least.share)}: the cap always binds"
        )
        if stop is not None:
            # As far as a size names a loss, it counts what both ways cost.
            share = Fraction(stop) if risked is None else lost_at(form, Fraction(stop))
            message += (
                f", and a stop of {percent(stop)} loses {percent(least.share * share)} of equity, "
                f"not {percent(size * share)}"
            )
        hint = f"write {percent(least.share)}, or raise the cap"
        hint = hint if share_key == "equity_share" else "risk less, a wider stop, or a larger cap"
        yield Finding(Code.CAP_BINDS, _own(name, "size", share_key), message, hint, True)


def profile_idle(form: Form, tree: Node) -> Iterator[Finding]:
    """A profile of which no limit counts, because all of them are written."""
    name = form["policy"]["profile"]
    if name == "none":
        return
    policy = find(tree, ("policy",))
    values = [node for _, node in walk(policy)] if policy is not None else []
    if not any(isinstance(v.value, str) and v.at.file == f"profile {name}" for v in values):
        message = f"profile {name} gives no limit: all that it has are written below policy.limits"
        hint = "remove the limits that it should give, or write profile: none"
        yield Finding(Code.PROFILE_IDLE, (key("policy.profile"),), message, hint, True)


_SIZES = ("policy.limits", "universe", "signals.defaults", "strategies")
RULES: tuple[Asked, ...] = (
    (
        limit_order,
        ("policy.limits.slippage", "policy.limits.exit_slippage", "policy.limits.collar"),
    ),
    (trades_rate, ("policy.limits.trades_per_hour_max", "policy.limits.trades_per_day_max")),
    (pyramiding, ("policy.limits.pyramiding",)),
    (
        exposure_sum,
        ("policy.limits.position", "policy.limits.positions_max", "policy.limits.exposure_max"),
    ),
    (loss_sum, _SIZES),
    (budgets_sum, ("policy.limits", "strategies")),
    (notional_twice, ("policy.limits.order_notional_min",)),
    (stop_layers, _SIZES),
    (inside_costs, ("policy.limits.slippage", "app.exchange.name")),
    (share_scale, ()),
    (profile_idle, ("policy.profile",)),
    (cap_binds, ("policy.limits", "universe.tiers", "signals.defaults")),
)
