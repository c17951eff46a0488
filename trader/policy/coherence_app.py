"""Rules between the keys of app.yaml: addresses, waits, credentials, cash, bars and windows.

Lives here: what the account and its venue allow. Must not live here: limits, universe, strategies
(see the other `coherence_` modules).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from trader.domain.timeframe import DAY_MS, TIMEFRAMES_MS
from trader.policy.findings import Asked, Finding, Form, key
from trader.policy.problems import Code
from trader.policy.quantities import duration_ms
from trader.policy.reading import Node
from trader.policy.tree import Path, find
from trader.policy.venue_facts import PAGES_MAX, VENUES


def base_url(form: Form, _tree: Node) -> Iterator[Finding]:
    """Another server than the venue's, with real money."""
    app = form["app"]
    if app["exchange"]["base_url"] and app["mode"] == "live":
        message = "another address is not possible in mode live"
        hint = "remove it, or set app.mode to paper or testnet"
        yield Finding(Code.BASE_URL_LIVE, (key("app.exchange.base_url"),), message, hint)


def times(form: Form, _tree: Node) -> Iterator[Finding]:
    """A wait that does not fit into a pass."""
    exchange, cycle = form["app"]["exchange"], form["app"]["cycle"]
    for name, value in (
        ("cycle.settle_ms", cycle["settle_ms"]),
        ("exchange.timeout_ms", exchange["timeout_ms"]),
    ):
        if value >= cycle["deadline_ms"]:
            paths = (key(f"app.{name}"), key("app.cycle.deadline_ms"))
            message = f"{name} {value} is not below cycle.deadline_ms {cycle['deadline_ms']}"
            yield Finding(Code.DEADLINE_ORDER, paths, message, "one wait must fit into a pass")


def grace(form: Form, _tree: Node) -> Iterator[Finding]:
    """An unknown order given up on while it can still arrive."""
    exchange = form["app"]["exchange"]
    least = exchange["recv_window_ms"] + exchange["timeout_ms"]
    if exchange["unknown_grace_ms"] < least:
        paths = tuple(
            key(f"app.exchange.{name}")
            for name in ("unknown_grace_ms", "recv_window_ms", "timeout_ms")
        )
        message = (
            f"unknown_grace_ms {exchange['unknown_grace_ms']} is below recv_window_ms + "
            f"timeout_ms = {least}: an order could still arrive"
        )
        yield Finding(Code.GRACE_TOO_SHORT, paths, message, f"write {least} or more")


def credentials(form: Form, _tree: Node) -> Iterator[Finding]:
    """One place for two credentials."""
    modes = form["app"]["exchange"]["credentials"]
    base = "app.exchange.credentials"
    seen: dict[str, str] = {}
    for mode, places in modes.items():
        for name, place in places.items():
            if not place:
                continue
            if place in seen:
                path = key(f"{base}.{mode}.{name}")
                message = f"reads the same place as {seen[place]}"
                hint = "testnet and live, key and secret, are four different things"
                yield Finding(Code.CREDENTIALS_SHARED, (path, key(base)), message, hint)
            seen[place] = f"{mode}.{name}"


def credential_places(form: Form, tree: Node) -> Iterator[Finding]:
    """Two places for one credential."""
    base = key("app.exchange.credentials")
    for mode, places in form["app"]["exchange"]["credentials"].items():
        for what in ("key", "secret"):
            named = find(tree, (*base, mode, f"{what}_env")) is not None
            if places[f"{what}_file"] and places[f"{what}_env"] and named:
                message = f"{what}_env and {what}_file both say where the {what} is"
                path = (*base, mode, f"{what}_file")
                hint = 'keep one, and set the other to ""'
                yield Finding(Code.CREDENTIAL_TWO_PLACES, (path,), message, hint)


def cash(form: Form, _tree: Node) -> Iterator[Finding]:
    """More cash than exact arithmetic was told to hold."""
    app = form["app"]
    most = Decimal(app["cash_max"])
    for name, value in (
        ("capital", app["capital"]),
        ("paper.starting_balance", app["paper"]["starting_balance"]),
    ):
        if value != "all" and Decimal(value) > most:
            paths = (key(f"app.{name}"), key("app.cash_max"))
            message = f"{name} {value} is above cash_max {app['cash_max']}"
            yield Finding(Code.CAPITAL_CAP, paths, message, f"write cash_max {value} or more")


def timeframes_used(form: Form) -> list[tuple[tuple[Path, ...], str, str]]:
    """Every timeframe that bars are read of: its keys, who reads them, the timeframe."""
    universe = form["universe"]
    used: list[tuple[tuple[Path, ...], str, str]] = [
        ((key("app.timeframe"),), "decision bars", form["app"]["timeframe"]),
        ((key("universe.timeframe"), key("universe")), "the universe", universe["timeframe"]),
    ]
    if universe["regime"]:
        paths = (key("universe.regime.timeframe"), key("universe.regime"))
        used.append((paths, "the regime", universe["regime"]["timeframe"]))
    for name, row in form["strategies"].items():
        above = ("strategies", name)
        used.append((((*above, "timeframe"), above), f"strategy {name}", row["timeframe"]))
        higher = sorted({node[1] for node in _nodes(row)} - {"", row["timeframe"]})
        used += [
            (((*above, "enter"), above), f"strategy {name}", timeframe) for timeframe in higher
        ]
    return used


def _nodes(row: Mapping[str, Any]) -> list[Any]:
    """Nodes of a strategy's program; none when it has no rules."""
    return list(row.get("program", {}).get("nodes", ()))


def timeframe_multiple(form: Form, _tree: Node) -> Iterator[Finding]:
    """A strategy's bars that do not end with a decision bar."""
    step = form["app"]["timeframe"]
    for name, row in form["strategies"].items():
        own = row["timeframe"]
        if TIMEFRAMES_MS[own] % TIMEFRAMES_MS[step]:
            paths = (("strategies", name, "timeframe"), ("strategies", name))
            message = f"{own} is not a whole number of decision bars of {step}"
            hint = "raise it, or lower app.timeframe"
            yield Finding(Code.TIMEFRAME_MULTIPLE, paths, message, hint)


def timeframe_venue(form: Form, _tree: Node) -> Iterator[Finding]:
    """Bars that the venue does not serve."""
    venue = form["app"]["exchange"]["name"]
    offered = VENUES[venue].timeframes
    for paths, _, own in timeframes_used(form):
        if own not in offered:
            message = f"{venue} has no bars of {own}"
            hint = f"it has {', '.join(offered)}"
            yield Finding(Code.TIMEFRAME_VENUE, paths, message, hint)


def refresh(form: Form, _tree: Node) -> Iterator[Finding]:
    """Members chosen anew more often than what they are chosen by changes."""
    universe = form["universe"]
    step = TIMEFRAMES_MS[universe["timeframe"]]
    if duration_ms(universe["refresh"]) % step:
        paths = (key("universe.refresh"), key("universe.timeframe"))
        message = (
            f"refresh {universe['refresh']} is not a whole number of the universe's bars of "
            f"{universe['timeframe']}"
        )
        hint = f"write {universe['timeframe']} or a multiple of it"
        yield Finding(Code.REFRESH_STEP, paths, message, hint)


def bars_available(venue: str, timeframe: str) -> int:
    """The longest window that can be read of a timeframe: what fits into `PAGES_MAX` answers, and
    what the venue's oldest instruments have."""
    facts = VENUES[venue]
    history = facts.history_days * DAY_MS // TIMEFRAMES_MS[timeframe]
    return min(facts.bars_page * PAGES_MAX, history)


RULES: tuple[Asked, ...] = (
    (base_url, ("app.mode", "app.exchange.base_url")),
    (times, ("app.cycle", "app.exchange.timeout_ms")),
    (
        grace,
        (
            "app.exchange.recv_window_ms",
            "app.exchange.timeout_ms",
            "app.exchange.unknown_grace_ms",
        ),
    ),
    (credentials, ("app.exchange.credentials",)),
    (credential_places, ("app.exchange.credentials",)),
    (cash, ("app.capital", "app.cash_max", "app.paper.starting_balance")),
    (timeframe_multiple, ("app.timeframe",)),
    (timeframe_venue, ("app.exchange.name",)),
    (refresh, ("universe.timeframe", "universe.refresh")),
)
