"""Effective values: what is left out is taken from where the schema says, with its origin.

Lives here: where every value of a form was written, and the filling in of what strategies leave to
the universe, the presets, the defaults and the limits. Must not live here: checks; a form with
mistakes is filled in as far as it makes sense.
"""

from __future__ import annotations

from typing import Any, cast

from trader.domain.pairs import PairSet, is_pattern
from trader.policy.checked import Form
from trader.policy.reading import Mark, Node
from trader.policy.size_methods import DEFAULTS, KEYS, SHARE_FROM, method_of
from trader.policy.sources import SECTIONS
from trader.policy.tree import Path, find

# Strategy key -> the key it is taken from when it is left out.
TAKEN_FROM = {
    "ttl_bars": "signals.defaults.ttl_bars",
    "budget.exposure": "policy.limits.exposure_max",
    "budget.loss": "policy.limits.loss_max",
    "budget.positions_max": "policy.limits.positions_max",
    "budget.trades_per_day_max": "policy.limits.trades_per_day_max",
}

# The same of the limits.
LIMITS_TAKEN_FROM = {
    "asset_max": "policy.limits.exposure_max",
    "pending_max": "policy.limits.exposure_max",
    "correlated.exposure_max": "policy.limits.exposure_max",
}


def origins(form: Form, tree: Node) -> dict[str, str]:
    """Dotted key of every leaf -> where its value was written."""
    origin: dict[str, str] = {}
    stack: list[tuple[Path, Any]] = [((name,), form[name]) for name in reversed(SECTIONS)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict) and value:
            children = cast("dict[str, Any]", value)
            stack += [((*path, key), child) for key, child in reversed(list(children.items()))]
            continue
        node = find(tree, path)
        origin[".".join(path)] = "default" if node is None else _place(node.at)
    return origin


def _place(at: Mark) -> str:
    return f"{at.file}:{at.line}" if at.line else at.file


def fill_in(form: Form, tree: Node, origin: dict[str, str]) -> None:
    """Puts effective values into the form, and where they come from into `origin`."""
    named = named_pairs(form)
    for key, source in LIMITS_TAKEN_FROM.items():
        _take(form, origin, form["policy"]["limits"], key, "policy.limits", source)
    for number, (name, strategy) in enumerate(form["strategies"].items()):
        at = f"strategies.{name}"
        strategy["declared"] = number
        strategy["program"] = {}
        # An `enter` that was written and could not be used still says: rules.
        ruled = find(tree, ("strategies", name, "enter")) is not None
        if not strategy["file"] and not ruled:
            strategy["file"] = f"{name}.py"
        for key, source in TAKEN_FROM.items():
            _take(form, origin, strategy, key, at, source)
        _size(form, origin, strategy, at)
        if strategy["tier"] is None:
            strategy["tier"] = ""
        if strategy["instruments"] == "universe":
            followed = strategy["tier"]
            strategy["instruments"] = [] if followed else list(named)
            if not followed:
                origin[f"{at}.instruments"] = _origin_of_pairs(origin)
        _take_preset(form, origin, strategy, at)
    regime = form["universe"]["regime"]
    if regime:
        regime["program"] = {}
        for number, state in enumerate(regime["states"].values()):
            state["declared"] = number


def named_pairs(form: Form) -> list[str]:
    """The instruments that the tiers name (not by wildcard) and nothing denies, in their order."""
    universe = form["universe"]
    denied = PairSet(universe["deny"])
    pairs = [pair for tier in universe["tiers"].values() for pair in tier["pairs"]]
    return [pair for pair in dict.fromkeys(pairs) if not is_pattern(pair) and pair not in denied]


def _origin_of_pairs(origin: dict[str, str]) -> str:
    """Where the first tier with pairs was written."""
    places = [origin[f"universe.tiers.{tier}.pairs"] for tier in ("core", "rotational", "event")]
    return next((place for place in places if place != "default"), "default")


def _take(
    form: Form, origin: dict[str, str], row: dict[str, Any], key: str, at: str, source: str
) -> None:
    """One value that is left out, from where it is taken then."""
    place: Any = row
    *above, last = key.split(".")
    for step in above:
        place = place[step]
    if place[last] is not None:
        return
    value: Any = form
    for step in source.split("."):
        value = value[step]
    place[last] = value
    origin[f"{at}.{key}"] = origin[source]


def _size(form: Form, origin: dict[str, str], strategy: dict[str, Any], at: str) -> None:
    """A strategy's size: its method, the keys of that, and no others but those that were written
    (which `coherence_sizes` refuses)."""
    size: dict[str, Any] = strategy["size"]
    if size["method"] is None:
        size["method"] = method_of(size, form["signals"]["defaults"]["size"])
        if size["equity_share"] is None:
            origin[f"{at}.size.method"] = origin["signals.defaults.size"]
    method = size["method"]
    if method in SHARE_FROM:
        _take(form, origin, strategy, "size.equity_share", at, SHARE_FROM[method])
    for key in KEYS[method]:
        if size[key] is None:
            size[key] = DEFAULTS[key]
    for key in [key for key, value in size.items() if value is None]:
        del size[key]
        origin.pop(f"{at}.size.{key}", None)


def _take_preset(form: Form, origin: dict[str, str], strategy: dict[str, Any], at: str) -> None:
    preset = strategy["preset"]
    shared = form["signals"]["presets"].get(preset, {})
    own = strategy["parameters"]
    strategy["parameters"] = {**shared, **own}
    for key in shared:
        if key not in own:
            origin[f"{at}.parameters.{key}"] = origin[f"signals.presets.{preset}.{key}"]
    if shared and not own:
        origin.pop(f"{at}.parameters", None)
