"""Strategies told: what each reads, with what numbers, and how far it has been looked at.

Lives here: the rows of `trader strategy list` and `explain`, as plain data. Must not live here:
layout, checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trader.app.context import StrategySource
from trader.app.strategy_process import StrategyRaised
from trader.app.strategy_verdict import Verdict
from trader.core.parameters import Parameters, StrategySpec
from trader.core.rules import Bound, RuleError, bound_of
from trader.records import dataclass, field

Row = dict[str, Any]
UNCHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of the strategies of a policy.

    Attributes:
        verdicts: of the last checks, by strategy. off: why its code is not asked any more, by
            strategy (from the journal, where there is one).
        rows: the checked form's `strategies`. origin: dotted key -> where it was written.
    """

    parameters: Parameters
    sources: Mapping[str, StrategySource]
    rows: Mapping[str, Mapping[str, Any]]
    origin: Mapping[str, str]
    verdicts: Mapping[str, Verdict] = field(default_factory=dict[str, Verdict])
    off: Mapping[str, str] = field(default_factory=dict[str, str])


def list_rows(told: Told) -> list[Row]:
    """One row for each strategy, in declared order."""
    return [_summary(told, spec) for spec in told.parameters.strategies]


def _summary(told: Told, spec: StrategySpec) -> Row:
    source = told.sources[spec.name]
    verdict = told.verdicts.get(spec.name)
    return {
        "name": spec.name,
        "from": _from(spec),
        "timeframe": spec.timeframe,
        "trades": f"tier {spec.tier}" if spec.tier else ", ".join(spec.symbols),
        "state": _state(told, spec),
        "warmup": _warmup_text(spec, source),
        "verdict": _verdict_word(source, verdict),
        "said": source.trouble or (verdict.said if verdict else ""),
    }


def _from(spec: StrategySpec) -> str:
    if not spec.source:
        return "rules"
    return f"{spec.source} + rules" if spec.program else spec.source


def _state(told: Told, spec: StrategySpec) -> str:
    if spec.name in told.off:
        return "off"
    if not spec.enabled:
        return "disabled"
    return "shadow" if spec.shadow else "enabled"


def _verdict_word(source: StrategySource, verdict: Verdict | None) -> str:
    if not source.sha:
        return "rules: cannot look ahead"
    if source.trouble:
        return "cannot be asked"
    if verdict is None:
        return UNCHECKED
    return verdict.code or "passed"


def warmups(spec: StrategySpec, source: StrategySource) -> dict[str, int]:
    """By timeframe, bars before the anchor that an evaluation reads; empty when nobody can say."""
    found: dict[str, int] = {}
    if source.sha and not source.trouble:
        try:
            found[spec.timeframe] = source.code.warmup(spec.numbers)
        except (StrategyRaised, ValueError):
            return {}
    bound = _bound(spec)
    for frame in bound.frames if bound is not None else ():
        found[frame.timeframe] = max(frame.warmup, found.get(frame.timeframe, 0))
    return found


def _warmup_text(spec: StrategySpec, source: StrategySource) -> str:
    found = warmups(spec, source)
    own = found.pop(spec.timeframe, None)
    parts = [] if own is None else [str(own)]
    return ", ".join([*parts, *(f"{bars} of {name}" for name, bars in found.items())]) or "unknown"


def _bound(spec: StrategySpec) -> Bound | None:
    if not spec.program:
        return None
    try:
        return bound_of(spec.program, spec.numbers, spec.timeframe, spec.timeframe_ms)
    except RuleError:
        return None


def explain_row(told: Told, name: str) -> Row:
    """Everything about one strategy."""
    spec = next(spec for spec in told.parameters.strategies if spec.name == name)
    source = told.sources[name]
    verdict = told.verdicts.get(name)
    row = told.rows[name]
    anchor = told.parameters.anchor_bars
    return {
        **_summary(told, spec),
        "off_why": told.off.get(name, ""),
        "sha": source.sha,
        "reads": [
            {"timeframe": timeframe, "warmup": bars, "anchor_bars": anchor}
            for timeframe, bars in warmups(spec, source).items()
        ],
        "parameters": [
            {
                "name": key,
                "value": str(value),
                "origin": _origin(told, name, row, key),
            }
            for key, value in spec.numbers.items()
        ],
        "rules": _rules(spec, row),
        "check": verdict.row() if verdict else None,
    }


def _origin(told: Told, name: str, row: Mapping[str, Any], key: str) -> str:
    own = told.origin.get(f"strategies.{name}.parameters.{key}")
    if own is not None:
        return own
    preset = str(row["preset"])
    known = told.origin.get(f"signals.presets.{preset}.{key}") if preset else None
    return known or f"PARAMETERS of {row['file']}"


def _rules(spec: StrategySpec, row: Mapping[str, Any]) -> list[Row]:
    """Each rule with its own warm-up and what it remembers."""
    bound = _bound(spec)
    if bound is None:
        return []
    rules: list[Row] = []
    for output, index in bound.outputs.items():
        node = bound.nodes[index]
        used: dict[str, str] = {}
        for place in bound.below(index):
            indicator = bound.nodes[place].indicator
            if indicator is not None:
                used[bound.nodes[place].text] = indicator.memory
        rules.append(
            {
                "output": output,
                "text": str(row[output]),
                "warmup": node.warmup,
                "exact": node.exact,
                "indicators": used,
            }
        )
    return rules
