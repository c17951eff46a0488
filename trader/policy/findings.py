"""What a rule between keys gives: findings, each with its keys, a sentence and a fix.

Lives here: the finding, the type of a rule, and reading values of the checked form that several
rules need (shares, distances, the tiers a strategy may trade). Must not live here: rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from trader.domain.pairs import PairSet, is_pattern, pair_set
from trader.policy.problems import Code
from trader.policy.reading import Node
from trader.policy.tree import Path, find
from trader.policy.written_rules import distance_share_ppm
from trader.records import dataclass

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
# A rule with the keys that it reads: it is not asked when one of them is itself broken.
Asked = tuple[Rule, tuple[str, ...]]


def key(dotted: str) -> Path:
    """The path of a dotted key."""
    return tuple(dotted.split("."))


def written(tree: Node, path: Path) -> bool:
    """Whether somebody wrote this key; else its value is the schema's default."""
    return find(tree, path) is not None


def percent(share: Decimal | Fraction) -> str:
    """A share for people: `2.5%`; what is finer than a millionth is rounded down."""
    return f"{Decimal(int(share * 1_000_000)).scaleb(-4).normalize():f}%"


def amount(value: Decimal) -> str:
    """An amount for people, no exponent, no trailing zeros."""
    return f"{value.normalize():f}"


def distance_share(text: str) -> Decimal | None:
    """A stop, target or trail as a share of the price; None when a rule decides, or nothing."""
    ppm = distance_share_ppm(text)
    return None if ppm is None else Decimal(ppm).scaleb(-6)


def money_of(form: Form) -> tuple[Decimal | None, str]:
    """What the account has at most, and the key that says so; None when only the venue knows."""
    app = form["app"]
    if app["capital"] != "all":
        return Decimal(app["capital"]), f"app.capital {app['capital']}"
    if app["mode"] == "paper":
        balance = app["paper"]["starting_balance"]
        return Decimal(balance), f"app.paper.starting_balance {balance}"
    return None, ""


def opening(form: Form) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The strategies that may open positions: enabled, and not in the shadow."""
    for name, row in form["strategies"].items():
        if row["enabled"] and not row["shadow"]:
            yield name, row


def can_match_both(one: str, other: str) -> bool:
    """Whether some instrument matches both patterns (`.*` stands for any text, even none)."""
    reach = {(0, 0)}
    seen: set[tuple[int, int]] = set()
    while reach:
        i, j = reach.pop()
        if (i, j) in seen:
            continue
        seen.add((i, j))
        if i == len(one) and j == len(other):
            return True
        reach |= set(_steps(one, i, other, j))
    return False


def _steps(a: str, i: int, b: str, j: int) -> Iterable[tuple[int, int]]:
    """Where two globs can stand after one more letter, or after a star that ends."""
    star_a, star_b = a.startswith(".*", i), b.startswith(".*", j)
    if star_a:
        yield i + 2, j
    if star_b:
        yield i, j + 2
    if star_a and not star_b and j < len(b):
        yield i, j + 1
    if star_b and not star_a and i < len(a):
        yield i + 1, j
    if not star_a and not star_b and i < len(a) and j < len(b) and a[i] == b[j]:
        yield i + 1, j + 1


def tier_of(form: Form, pair: str) -> str:
    """The tier an instrument belongs to: the first that names it, else the first whose wildcard
    matches; "" when there is none."""
    tiers = form["universe"]["tiers"]
    return _first([(name, pair_set(tuple(tier["pairs"]))) for name, tier in tiers.items()], pair)


def _first(held: list[tuple[str, PairSet]], pair: str) -> str:
    named = (name for name, pairs in held if pair in pairs.names)
    matched = (name for name, pairs in held if pair in pairs)
    return next(named, "") or next(matched, "")


def denied(form: Form, pair: str) -> bool:
    """Whether universe.deny names an instrument; of a pattern, whether it names the very same."""
    return _in(pair_set(tuple(form["universe"]["deny"])), pair)


def _in(pairs: PairSet, pair: str) -> bool:
    return pair in pairs.names or (not is_pattern(pair) and pair in pairs)


def tiers_of(form: Form, row: Mapping[str, Any]) -> list[str]:
    """The tiers whose instruments a strategy trades, but for those that are denied."""
    universe = form["universe"]
    deny = pair_set(tuple(universe["deny"]))
    if row["tier"]:
        pairs: list[str] = universe["tiers"][row["tier"]]["pairs"]
        return [row["tier"]] if any(not _in(deny, pair) for pair in pairs) else []
    held = [(name, pair_set(tuple(tier["pairs"]))) for name, tier in universe["tiers"].items()]
    found: dict[str, None] = {}
    for pair in row["instruments"]:
        if not _in(deny, pair):
            name = _first(held, pair)
            found |= {name: None} if name else {}
    return list(found)


def risk_by_tier(form: Form) -> dict[str, Decimal]:
    """Tier -> the largest factor that some regime gives entries of it; 0 when none opens it."""
    tiers: Mapping[str, Any] = form["universe"]["tiers"]
    regime = form["universe"]["regime"]
    if not regime:
        return dict.fromkeys(tiers, Decimal(1))
    risks = dict.fromkeys(tiers, Decimal(0))
    for state in regime["states"].values():
        for name in state["tiers"]:
            risks[name] = max(risks[name], Decimal(state["risk"]))
    return risks
