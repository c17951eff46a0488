"""Rules about one strategy: whether it can trade at all, and with what it was given.

Lives here: presets, holding times, warm-up, strategies that can never trade. Must not live here:
sums over strategies (see `coherence_limits`), a strategy's Python (see `strategy_sources`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from trader.domain.timeframe import TIMEFRAMES_MS
from trader.policy.checked import Checked
from trader.policy.coherence_app import bars_available
from trader.policy.effective_sizes import strategy_size
from trader.policy.fields import close_to
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
    tiers_of,
)
from trader.policy.problems import Code, Problem
from trader.policy.quantities import duration_ms
from trader.policy.reading import Node
from trader.policy.tree import find


def _own(name: str, *keys: str) -> tuple[tuple[str, ...], ...]:
    return (("strategies", name, *keys), ("strategies", name))


def presets(form: Form, _tree: Node) -> Iterator[Finding]:
    """A preset that does not exist."""
    known = form["signals"]["presets"]
    for name, strategy in form["strategies"].items():
        if strategy["preset"] and strategy["preset"] not in known:
            message = f"there is no preset {strategy['preset']} in signals.presets"
            hint = close_to(strategy["preset"], known) or "write it there, or remove this"
            yield Finding(Code.PRESET_UNKNOWN, _own(name, "preset"), message, hint)


def enabled(form: Form, _tree: Node) -> Iterator[Finding]:
    """Nobody who may open a position."""
    if next(opening(form), None) is None:
        message = "no strategy is enabled and out of the shadow: nothing will be bought"
        hint = "set enabled: true, and shadow: false, for one"
        yield Finding(Code.NOTHING_ENABLED, (key("strategies"),), message, hint, True)


def hold(form: Form, _tree: Node) -> Iterator[Finding]:
    """A longest holding time that ends before the next decision."""
    step = form["app"]["timeframe"]
    for name, row in form["strategies"].items():
        most = duration_ms(row["max_hold"])
        if 0 < most < TIMEFRAMES_MS[step]:
            message = f"max_hold {row['max_hold']} is shorter than a decision bar of {step}"
            hint = f"write {step} or more, or lower app.timeframe"
            yield Finding(Code.HOLD_SHORT, _own(name, "max_hold"), message, hint)


def stop_missing(form: Form, tree: Node) -> Iterator[Finding]:
    """A strategy of rules alone without a stop: what it can lose has no bound."""
    for name, row in form["strategies"].items():
        stop = find(tree, ("strategies", name, "stop"))
        said = stop is not None and stop.value != ""  # one that was refused is not missing
        if row["enter"] and not row["file"] and not said:
            message = f"strategy {name} of rules has no stop: its loss would have no bound"
            yield Finding(Code.STOP_MISSING, _own(name), message, "write stop: 5%, or a rule")


def exit_keys(form: Form, _tree: Node) -> Iterator[Finding]:
    """Keys of exits that contradict each other, or say nothing."""
    for name, row in form["strategies"].items():
        if row["trail_from"] and not row["trail"] and not row["file"]:
            message = f"strategy {name} says from where its trail counts, and has no trail"
            hint = "write trail: 3%, or remove trail_from"
            yield Finding(Code.TRAIL_MISSING, _own(name, "trail_from"), message, hint)
        steps, paths = row["scale_out"], _own(name, "scale_out")
        total = sum((Decimal(step["share"]) for step in steps), Decimal(0))
        if total > 1:
            message = f"the steps sell {percent(total)} of what was bought"
            yield Finding(Code.SCALE_OUT_SUM, paths, message, "together at most 100%")
        target = distance_share(row["target"])
        for step in steps:
            at = distance_share(step["at"])
            if target is not None and at is not None and at >= target:
                message = f"the step at {percent(at)} is not before the target {percent(target)}"
                hint = "the target sells all: a nearer step, or a farther target"
                yield Finding(Code.SCALE_OUT_IDLE, paths, message, hint, True)


def warmup_window(form: Form, _tree: Node) -> Iterator[Finding]:
    """Rules that need more bars than can be read.

    A decision reads the anchor block (`app.cycle.anchor_bars`), the warm-up of its rules and the
    bars that a signal lives, of every timeframe that they name.
    """
    venue, block = form["app"]["exchange"]["name"], form["app"]["cycle"]["anchor_bars"]
    for name, row in form["strategies"].items():
        paths = (*_own(name, "enter"), *_own(name))
        for timeframe, warmup in warmups(row, row["timeframe"]):
            needed = block + warmup + row["ttl_bars"]
            yield from _too_long(paths, venue, timeframe, warmup, needed)
    regime = form["universe"]["regime"]
    if regime:
        paths = (key("universe.regime.states"), key("universe.regime"))
        for timeframe, warmup in warmups(regime, regime["timeframe"]):
            needed = block + warmup + regime["confirm_bars"]
            yield from _too_long(paths, venue, timeframe, warmup, needed)


def warmups(row: Mapping[str, Any], timeframe: str) -> list[tuple[str, int]]:
    """Each timeframe of a compiled program with the rows its rules need before the anchor; none
    where there are no rules, or they were refused."""
    program = row.get("program")
    if not program:
        return []
    from trader.core.rules import RuleError, bind

    own: Mapping[str, int | str] = row.get("parameters", {})
    numbers = {
        name: value if isinstance(value, int) else float(value) for name, value in own.items()
    }
    try:
        bound = bind(program, numbers, timeframe, TIMEFRAMES_MS[timeframe])
    except RuleError:
        return []  # the rules' own check has said why
    return [(frame.timeframe or timeframe, frame.warmup) for frame in bound.frames]


def _too_long(
    paths: tuple[tuple[str, ...], ...], venue: str, timeframe: str, warmup: int, needed: int
) -> Iterator[Finding]:
    most = bars_available(venue, timeframe)
    if needed <= most:
        return
    message = (
        f"needs {needed} bars of {timeframe} ({warmup} of warm-up beside the anchor block); "
        f"{most} can be read of {venue}"
    )
    hint = "shorter periods, a lower timeframe, or a smaller app.cycle.anchor_bars"
    yield Finding(Code.WARMUP_WINDOW, paths, message, hint)


def file_windows(checked: Checked, warmups_told: Mapping[str, int]) -> list[Problem]:
    """The same for Python files, whose warm-up only running them tells (bars by strategy)."""
    form, problems = checked.form, list[Problem]()
    venue, block = form["app"]["exchange"]["name"], form["app"]["cycle"]["anchor_bars"]
    for name, warmup in warmups_told.items():
        row = form["strategies"][name]
        needed = block + warmup + row["ttl_bars"]
        file, _, line = checked.origin[f"strategies.{name}.file"].rpartition(":")
        for found in _too_long(_own(name, "file"), venue, row["timeframe"], warmup, needed):
            at = int(line) if line.isdigit() else 0
            where = f"strategies.{name}"
            place = file if at else "strategies.yaml"
            code = found.code.name
            problems.append(Problem(code, place, at, 0, where, found.message, found.hint))
    return problems


def never_trades(form: Form, _tree: Node) -> Iterator[Finding]:
    """A strategy that is closed everywhere, or too small for the smallest order."""
    money, said = money_of(form)
    for name, row in opening(form):
        if not tiers_of(form, row):
            continue  # that it has no instruments is said elsewhere
        if row["size"].get("notional") == "0":
            continue  # and so is a fixed size without its amount
        size = strategy_size(form, name, Decimal(0) if money is None else money)
        if size.needs is None:
            message = f"strategy {name} can never trade: {size.closed}"
            hint = "open it, or set enabled: false"
            yield Finding(Code.NEVER_TRADES, _own(name), message, hint)
        elif money is not None and size.large:
            message = f"strategy {name} does not trade on {said}: {size.large}"
            hint = "raise it, or take a smaller size"
            yield Finding(Code.NEVER_TRADES, _own(name, "size"), message, hint, True)
        elif money is not None and not size.trades:
            by = f", cut by {size.binds[0].name}" if size.binds else ""
            message = (
                f"strategy {name} can never trade: {said} gives orders of "
                f"{amount(size.order)}{by}, below {size.least_by} {amount(size.least)}"
            )
            hint = f"it needs {amount(size.needs)} to work with, or a larger size"
            yield Finding(Code.NEVER_TRADES, _own(name, "size", "equity_share"), message, hint)


RULES: tuple[Asked, ...] = (
    (presets, ("signals.presets",)),
    (enabled, ("strategies",)),
    (hold, ("app.timeframe",)),
    (stop_missing, ()),
    (exit_keys, ()),
    (warmup_window, ("app.cycle.anchor_bars", "app.exchange.name")),
    (never_trades, ("app", "policy.limits", "universe", "signals.defaults", "strategies")),
)
