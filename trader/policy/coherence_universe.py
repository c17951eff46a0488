"""Rules between the keys of universe.yaml, and the instruments that strategies name.

Lives here: lists of pairs, tiers, the regime. Must not live here: sizes and limits (see the other
`coherence_` modules).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from typing import Any

from trader.domain.pairs import PairSet, is_pattern
from trader.policy.fields import close_to
from trader.policy.findings import (
    Asked,
    Finding,
    Form,
    can_match_both,
    denied,
    key,
    percent,
    tiers_of,
    written,
)
from trader.policy.problems import Code
from trader.policy.reading import Node
from trader.policy.tree import Path, find


def _tier(name: str, what: str) -> Path:
    return ("universe", "tiers", name, what)


def pair_lists(form: Form, tree: Node) -> list[tuple[Path, list[str]]]:
    """Every list of instruments that somebody wrote, with its key."""
    universe = form["universe"]
    lists = [(_tier(name, "pairs"), row["pairs"]) for name, row in universe["tiers"].items()]
    lists.append((key("universe.deny"), universe["deny"]))
    for name, strategy in form["strategies"].items():
        path = ("strategies", name, "instruments")
        node = find(tree, path)
        if node is not None and isinstance(node.value, list):
            lists.append((path, strategy["instruments"]))
    return lists


def pairs(form: Form, tree: Node) -> Iterator[Finding]:
    """A pair twice in one list, or one that settles in another currency."""
    quote = form["app"]["quote"]
    lists = pair_lists(form, tree)
    if form["universe"]["regime"]:
        lists.append((key("universe.regime.benchmark"), [form["universe"]["regime"]["benchmark"]]))
    for path, named in lists:
        for pair, times in Counter[str](named).items():
            if times > 1:
                message = f"{pair} is named twice"
                yield Finding(Code.PAIR_TWICE, (path,), message, "keep one", item=pair)
            base, settles = pair.split("/")
            if settles != quote:
                message = f"{pair} settles in {settles}, not in app.quote {quote}"
                hint = f"write {base}/{quote}, or another account for {settles}"
                yield Finding(Code.PAIR_QUOTE, (path, path[:-1]), message, hint, item=pair)


def outside_universe(form: Form, _tree: Node) -> Iterator[Finding]:
    """A strategy's instrument that no tier holds, or none at all."""
    patterns = [pair for row in form["universe"]["tiers"].values() for pair in row["pairs"]]
    held = PairSet(patterns)
    for name, strategy in form["strategies"].items():
        path = ("strategies", name, "instruments")
        for pair in strategy["instruments"]:
            if pair not in held:
                near = close_to(pair, [known.lower() for known in patterns]).upper()
                hint = near.replace("DID YOU MEAN", "did you mean") or "add it to a tier first"
                message = f"{pair} is in no tier of the universe"
                yield Finding(Code.PAIR_OUTSIDE_UNIVERSE, (path,), message, hint, item=pair)
        followed = strategy["tier"] and tiers_of(form, strategy)
        if strategy["enabled"] and not strategy["instruments"] and not followed:
            paths = (path, ("strategies", name, "tier"), ("strategies", name))
            what = f"tier {strategy['tier']}, which has" if strategy["tier"] else "and has"
            message = f"strategy {name} is enabled {what} no instruments"
            message = message.replace("enabled tier", "enabled on tier")
            hint = "list some in universe.tiers, or set enabled: false"
            yield Finding(Code.NO_INSTRUMENTS, paths, message, hint)


def denials(form: Form, tree: Node) -> Iterator[Finding]:
    """An instrument that is both named and denied."""
    for path, named in pair_lists(form, tree):
        if path[-1] == "deny":
            continue
        for pair in dict.fromkeys(named):
            if denied(form, pair):
                message = f"{pair} is denied by universe.deny"
                hint = "remove it here, or from universe.deny"
                yield Finding(Code.PAIR_DENIED, (path,), message, hint, item=pair)


def spelling(form: Form, tree: Node) -> Iterator[Finding]:
    """Pairs with a dash."""
    for path, _ in pair_lists(form, tree):
        node = find(tree, path)
        items = node.value if node and isinstance(node.value, list) else []
        for item in items:
            if isinstance(item.value, str) and item.value.count("-") == 1:
                pair = item.value.replace("-", "/")
                message = f"{item.value} is read as {pair}"
                hint = "write it with a slash"
                yield Finding(Code.PAIR_SPELLING, (path,), message, hint, True, item=item.value)


def tiers_overlap(form: Form, _tree: Node) -> Iterator[Finding]:
    """An instrument that two tiers name, or two tiers' wildcards match. A name and a wildcard may
    meet: the tier that names it has it."""
    tiers: Mapping[str, Any] = form["universe"]["tiers"]
    for (one, first), (other, second) in combinations(tiers.items(), 2):
        for pair in second["pairs"]:
            if is_pattern(pair):
                rivals = [p for p in first["pairs"] if is_pattern(p) and can_match_both(p, pair)]
                what = "can match the same instruments as"
            else:
                rivals = [p for p in first["pairs"] if p == pair]
                what = "is also named as"
            for rival in dict.fromkeys(rivals):
                message = f"{pair} of tier {other} {what} {rival} of tier {one}"
                hint = "an instrument has one tier: remove one, or name it where it belongs"
                path = _tier(other, "pairs")
                yield Finding(Code.TIERS_OVERLAP, (path,), message, hint, item=pair)


def tier_keep(form: Form, _tree: Node) -> Iterator[Finding]:
    """Members that would leave before they could come."""
    for name, row in form["universe"]["tiers"].items():
        take, keep = row["take"], row["keep"]
        paths = (_tier(name, "keep"), _tier(name, "take"))
        if keep and keep < take:
            message = f"keep {keep} is below take {take}: a member would leave before others come"
            yield Finding(Code.TIER_KEEP, paths, message, f"write {take} or more")
        elif keep and not take:
            message = "keep has no effect without take: all that pass are members"
            yield Finding(Code.TIER_KEEP, paths, message, "write take, or remove keep")


def tier_caps(form: Form, tree: Node) -> Iterator[Finding]:
    """Caps of a tier that are above the account's: they never bind."""
    limits = form["policy"]["limits"]
    for name, row in form["universe"]["tiers"].items():
        for what, limit in (("weight", "exposure_max"), ("positions_max", "positions_max")):
            own, most = Decimal(row[what]), Decimal(limits[limit])
            if not written(tree, _tier(name, what)) or own <= most:
                continue
            shown = percent if what == "weight" else str
            message = f"{shown(own)} is above policy.limits.{limit} {shown(most)}, and never binds"
            hint = f"write {shown(most)} or less, or remove it"
            yield Finding(Code.TIER_CAP, (_tier(name, what),), message, hint, True)


# --- the regime ----------------------------------------------------------------------------------


def _state(name: str, *keys: str) -> tuple[Path, ...]:
    base = ("universe", "regime", "states", name)
    return ((*base, *keys), base)


def regime_states(form: Form, _tree: Node) -> Iterator[Finding]:
    """States that can never be, or no state for the rest."""
    regime = form["universe"]["regime"]
    if not regime:
        return
    states: list[tuple[str, Any]] = list(regime["states"].items())
    if not states:
        message = "a regime without states: every tier would be closed"
        hint = "write states, the last of them without `when`, or remove regime"
        paths = (key("universe.regime.states"), key("universe.regime"))
        yield Finding(Code.REGIME_STATES, paths, message, hint)
        return
    for name, row in states[:-1]:
        if not row["when"]:
            message = f"{name} has no `when` and is not the last: the states after it never hold"
            yield Finding(
                Code.REGIME_STATES, _state(name), message, "write `when`, or move it last"
            )
    last, row = states[-1]
    if row["when"]:
        message = f"the last state, {last}, has a `when`: nothing holds when it does not"
        hint = "add one without `when` after it, such as sideways"
        yield Finding(Code.REGIME_STATES, _state(last, "when"), message, hint)


def regime_rules(form: Form, _tree: Node) -> Iterator[Finding]:
    """Two states with one rule: the second never holds."""
    regime = form["universe"]["regime"]
    if not regime:
        return
    seen: dict[str, str] = {}
    for name, row in regime["states"].items():
        rule = "".join(row["when"].split())
        if rule and rule in seen:
            message = f"{name} has the rule of {seen[rule]}, and never holds"
            hint = "the first that holds counts: change one, or remove one"
            yield Finding(Code.REGIME_SAME_RULE, _state(name, "when"), message, hint)
        seen.setdefault(rule, name)


def regime_risk(form: Form, tree: Node) -> Iterator[Finding]:
    """Tiers that are open at no risk, and risk for no tier."""
    regime = form["universe"]["regime"]
    tiers = form["universe"]["tiers"]
    for name, row in regime["states"].items() if regime else ():
        risk, opened = Decimal(row["risk"]), row["tiers"]
        if opened and not risk:
            message = f"opens {', '.join(opened)} at risk 0: nothing can be bought"
            hint = "write risk, such as 50%, or tiers: []"
            yield Finding(Code.REGIME_RISK, _state(name, "risk"), message, hint)
        if risk and not opened and written(tree, _state(name, "risk")[0]):
            message = f"risk {percent(risk)} has no effect: no tier is open"
            hint = "write tiers, or remove risk"
            yield Finding(Code.REGIME_RISK, _state(name, "risk"), message, hint)
        for tier in opened:
            if not tiers[tier]["pairs"]:
                message = f"opens tier {tier}, which has no pairs"
                hint = f"write universe.tiers.{tier}.pairs, or leave it out here"
                yield Finding(Code.REGIME_TIER, _state(name, "tiers"), message, hint, True)


_REGIME = ("universe.regime",)
RULES: tuple[Asked, ...] = (
    (pairs, ("app.quote",)),
    (outside_universe, ("universe.tiers", "universe.deny")),
    (denials, ("universe.tiers", "universe.deny")),
    (spelling, ()),
    (tiers_overlap, ("universe.tiers",)),
    (tier_keep, ("universe.tiers",)),
    (tier_caps, ("policy.limits.exposure_max", "policy.limits.positions_max")),
    (regime_states, _REGIME),
    (regime_rules, _REGIME),
    (regime_risk, ("universe.regime", "universe.tiers")),
)
