"""Rules between keys: what each key allows alone, but not together.

Lives here: one function per rule over the checked form, with the keys that it reads. Must not live
here: kinds and bounds of single values (see `fields`, `schema`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trader.domain.timeframe import TIMEFRAMES_MS
from trader.policy.fields import close_to
from trader.policy.problems import Code
from trader.policy.quantities import share_ppm
from trader.policy.reading import Node
from trader.policy.tree import Path, find

Form = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """A contradiction: `paths` are the keys to show it at, the first that is written counts.

    `item` is the text of the list item to point at. `file` and `line` name another place instead: a
    strategy's Python.
    """

    code: Code
    paths: tuple[Path, ...]
    message: str
    hint: str = ""
    warning: bool = False
    item: str = ""
    file: str = ""
    line: int = 0


Rule = Callable[[Form, Node], Iterator[Finding]]


def _key(dotted: str) -> Path:
    return tuple(dotted.split("."))


def _base_url(form: Form, _tree: Node) -> Iterator[Finding]:
    app = form["app"]
    if app["exchange"]["base_url"] and app["mode"] == "live":
        message = "another address is not possible in mode live"
        hint = "remove it, or set app.mode to paper or testnet"
        yield Finding(Code.BASE_URL_LIVE, (_key("app.exchange.base_url"),), message, hint)


def _times(form: Form, _tree: Node) -> Iterator[Finding]:
    exchange, cycle = form["app"]["exchange"], form["app"]["cycle"]
    for key, value in (
        ("cycle.settle_ms", cycle["settle_ms"]),
        ("exchange.timeout_ms", exchange["timeout_ms"]),
    ):
        if value >= cycle["deadline_ms"]:
            paths = (_key(f"app.{key}"), _key("app.cycle.deadline_ms"))
            message = f"{key} {value} is not below cycle.deadline_ms {cycle['deadline_ms']}"
            yield Finding(Code.DEADLINE_ORDER, paths, message, "one wait must fit into a pass")


def _grace(form: Form, _tree: Node) -> Iterator[Finding]:
    exchange = form["app"]["exchange"]
    least = exchange["recv_window_ms"] + exchange["timeout_ms"]
    if exchange["unknown_grace_ms"] < least:
        paths = tuple(
            _key(f"app.exchange.{name}")
            for name in ("unknown_grace_ms", "recv_window_ms", "timeout_ms")
        )
        message = (
            f"unknown_grace_ms {exchange['unknown_grace_ms']} is below recv_window_ms + "
            f"timeout_ms = {least}: an order could still arrive"
        )
        yield Finding(Code.GRACE_TOO_SHORT, paths, message, f"write {least} or more")


def _credentials(form: Form, _tree: Node) -> Iterator[Finding]:
    modes = form["app"]["exchange"]["credentials"]
    base = "app.exchange.credentials"
    seen: dict[str, str] = {}
    for mode, places in modes.items():
        for name, place in places.items():
            if not place:
                continue
            if place in seen:
                path = _key(f"{base}.{mode}.{name}")
                message = f"reads the same place as {seen[place]}"
                hint = "testnet and live, key and secret, are four different things"
                yield Finding(Code.CREDENTIALS_SHARED, (path, _key(base)), message, hint)
            seen[place] = f"{mode}.{name}"


def _credential_places(form: Form, tree: Node) -> Iterator[Finding]:
    base = _key("app.exchange.credentials")
    for mode, places in form["app"]["exchange"]["credentials"].items():
        for what in ("key", "secret"):
            written = find(tree, (*base, mode, f"{what}_env")) is not None
            if places[f"{what}_file"] and places[f"{what}_env"] and written:
                message = f"{what}_env and {what}_file both say where the {what} is"
                path = (*base, mode, f"{what}_file")
                hint = 'keep one, and set the other to ""'
                yield Finding(Code.CREDENTIAL_TWO_PLACES, (path,), message, hint)


def _limit_order(form: Form, _tree: Node) -> Iterator[Finding]:
    limits = form["policy"]["limits"]
    for low, high, why in (
        ("slippage", "exit_slippage", "an exit's second attempt must not be narrower"),
        ("exit_slippage", "collar", "the collar would reject what the slippage allows"),
    ):
        if share_ppm(limits[low]) > share_ppm(limits[high]):
            paths = (_key(f"policy.limits.{high}"), _key(f"policy.limits.{low}"))
            message = f"{high} {limits[high]} is below {low} {limits[low]}: {why}"
            yield Finding(Code.LIMIT_ORDER, paths, message, f"write {limits[low]} or more")


def _cash(form: Form, _tree: Node) -> Iterator[Finding]:
    app = form["app"]
    most = Decimal(app["cash_max"])
    for key, value in (
        ("capital", app["capital"]),
        ("paper.starting_balance", app["paper"]["starting_balance"]),
    ):
        if value != "all" and Decimal(value) > most:
            paths = (_key(f"app.{key}"), _key("app.cash_max"))
            message = f"{key} {value} is above cash_max {app['cash_max']}"
            yield Finding(Code.CAPITAL_CAP, paths, message, "raise cash_max")


def _pairs(form: Form, _tree: Node) -> Iterator[Finding]:
    lists = [(_key("universe.instruments"), form["universe"]["instruments"])]
    for name, strategy in form["strategies"].items():
        if strategy["instruments"] != "universe":
            lists.append((("strategies", name, "instruments"), strategy["instruments"]))
    quote = form["app"]["quote"]
    for path, pairs in lists:
        for pair, times in Counter[str](pairs).items():
            if times > 1:
                yield Finding(
                    Code.PAIR_TWICE,
                    (path,),
                    f"{pair} is named twice",
                    "keep one",
                    item=pair,
                )
            base, settles = pair.split("/")
            if settles != quote:
                message = f"{pair} settles in {settles}, not in app.quote {quote}"
                hint = f"write {base}/{quote}, or another account for {settles}"
                yield Finding(Code.PAIR_QUOTE, (path,), message, hint, item=pair)


def _outside_universe(form: Form, _tree: Node) -> Iterator[Finding]:
    universe = dict.fromkeys(form["universe"]["instruments"])
    for name, strategy in form["strategies"].items():
        pairs: list[str] = strategy["instruments"]
        path = ("strategies", name, "instruments")
        if strategy["instruments"] == "universe":
            pairs = list(universe)
        for pair in pairs:
            if pair not in universe:
                near = close_to(pair, [known.lower() for known in universe]).upper()
                hint = near.replace("DID YOU MEAN", "did you mean") or "add it there first"
                message = f"{pair} is not in universe.instruments"
                yield Finding(Code.PAIR_OUTSIDE_UNIVERSE, (path,), message, hint, item=pair)
        if strategy["enabled"] and not pairs:
            paths = (path, ("strategies", name), _key("universe.instruments"))
            message = f"strategy {name} is enabled and has no instruments"
            yield Finding(Code.NO_INSTRUMENTS, paths, message, "list some in universe.instruments")


def _timeframes(form: Form, _tree: Node) -> Iterator[Finding]:
    step = form["app"]["timeframe"]
    for name, strategy in form["strategies"].items():
        own = strategy["timeframe"]
        if TIMEFRAMES_MS[own] % TIMEFRAMES_MS[step]:
            paths = (("strategies", name, "timeframe"), ("strategies", name))
            message = f"{own} is not a whole number of decision bars of {step}"
            yield Finding(
                Code.TIMEFRAME_MULTIPLE,
                paths,
                message,
                "raise it, or lower app.timeframe",
            )


def _presets(form: Form, _tree: Node) -> Iterator[Finding]:
    known = form["signals"]["presets"]
    for name, strategy in form["strategies"].items():
        if strategy["preset"] and strategy["preset"] not in known:
            message = f"there is no preset {strategy['preset']} in signals.presets"
            hint = close_to(strategy["preset"], known)
            yield Finding(Code.PRESET_UNKNOWN, (("strategies", name, "preset"),), message, hint)


def _caps(form: Form, _tree: Node) -> Iterator[Finding]:
    cap = form["policy"]["limits"]["position"]
    for name, strategy in form["strategies"].items():
        share = strategy["size"]["equity_share"]
        if share_ppm(share) > share_ppm(cap):
            paths = (("strategies", name, "size", "equity_share"), ("strategies", name))
            message = f"equity_share {share} is above policy.limits.position {cap}, which will bind"
            yield Finding(Code.CAP_BINDS, paths, message, "lower it, or raise the limit", True)


def _spelling(_form: Form, tree: Node) -> Iterator[Finding]:
    strategies = find(tree, ("strategies",))
    names = list(strategies.value) if strategies and isinstance(strategies.value, dict) else []
    paths = [
        _key("universe.instruments"),
        *(("strategies", str(n), "instruments") for n in names),
    ]
    for path in paths:
        node = find(tree, path)
        items = node.value if node and isinstance(node.value, list) else []
        for item in items:
            if isinstance(item.value, str) and item.value.count("-") == 1:
                pair = item.value.replace("-", "/")
                message = f"{item.value} is read as {pair}"
                hint = "write it with a slash"
                yield Finding(Code.PAIR_SPELLING, (path,), message, hint, True, item=item.value)


def _enabled(form: Form, _tree: Node) -> Iterator[Finding]:
    if not any(strategy["enabled"] for strategy in form["strategies"].values()):
        message = "no strategy is enabled: nothing will be bought"
        yield Finding(Code.NOTHING_ENABLED, (("strategies",),), message, "", True)


# Each rule with the keys that it reads: it is not asked when one of them is itself broken.
RULES: tuple[tuple[Rule, tuple[str, ...]], ...] = (
    (_base_url, ("app.mode", "app.exchange.base_url")),
    (_times, ("app.cycle", "app.exchange.timeout_ms")),
    (
        _grace,
        (
            "app.exchange.recv_window_ms",
            "app.exchange.timeout_ms",
            "app.exchange.unknown_grace_ms",
        ),
    ),
    (_credentials, ("app.exchange.credentials",)),
    (_credential_places, ("app.exchange.credentials",)),
    (_limit_order, ("policy.limits",)),
    (_cash, ("app.capital", "app.cash_max", "app.paper.starting_balance")),
    (_pairs, ("app.quote",)),
    (_outside_universe, ("universe.instruments",)),
    (_timeframes, ("app.timeframe",)),
    (_presets, ("signals.presets",)),
    (_caps, ("policy.limits.position",)),
    (_spelling, ()),
    (_enabled, ("strategies",)),
)


def findings(form: Form, tree: Node, broken: set[Path]) -> list[Finding]:
    """What every rule that can be asked finds."""
    found: list[Finding] = []
    for rule, reads in RULES:
        if not any(_touch(_key(read), path) for read in reads for path in broken):
            found += rule(form, tree)
    return found


def _touch(read: Path, broken: Path) -> bool:
    length = min(len(read), len(broken))
    return read[:length] == broken[:length]
