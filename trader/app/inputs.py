"""Decision inputs: from a checked form and strategy texts to what `plan` reads.

Lives here: the one way that cycle, back-test and replay get parameters and strategy code, so that
none of them can load a policy differently. A file's code runs in a process of its own. Must not
live here: reading files, and what becomes of a strategy that cannot be asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from trader.app.context import StrategySource
from trader.app.strategy_facts import KeptFacts
from trader.app.strategy_process import (
    StrategyLost,
    StrategyProcess,
    StrategyRaised,
    isolated_code,
    strategy_process,
)
from trader.core.parameters import Columns, Parameters, StrategyCode, StrategySpec
from trader.core.strategy import StrategyError, with_defaults
from trader.errors import UsageError
from trader.policy.parameters import build_parameters
from trader.records import replace

HINT = "edit the strategy file or strategies.yaml"

Inputs = tuple[Parameters, tuple[StrategySource, ...]]


def decision_inputs(
    form: Mapping[str, Any],
    texts: Mapping[str, str],
    *,
    tolerant: bool = False,
    kept: KeptFacts | None = None,
) -> Inputs:
    """Parameters and what each strategy decides with; `texts` holds each file's source by the
    strategy's name (a strategy of rules alone has none).

    Raises UsageError when a strategy file cannot be used or lacks a configured parameter; with
    `tolerant` a file that cannot be loaded is told in `StrategySource.trouble` instead: the others
    go on, and so do the stops of what it holds. `kept`: what files told before, so that a pass
    need not wait for processes that are just starting.
    """
    shas = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    parameters = build_parameters(dict(form), shas)
    # All are started before the first is waited for.
    processes = {
        spec.name: strategy_process(spec.name, texts[spec.name])
        for spec in parameters.strategies
        if spec.name in texts
    }
    for name, process in processes.items():
        facts = kept.of(texts[name]) if kept is not None else None
        if facts is not None:
            process.assume(*facts)
    sources: list[StrategySource] = []
    specs: list[StrategySpec] = []
    for spec in parameters.strategies:
        process = processes.get(spec.name)
        if process is None:
            specs.append(spec)
            sources.append(StrategySource(spec.name, "", "", _rules_alone(spec)))
            continue
        known, trouble = _ask(spec, process)
        if trouble and not tolerant:
            raise UsageError(_sentence(spec.name, process, trouble), HINT)
        if kept is not None and not trouble:
            kept.keep(texts[spec.name], *process.facts())
        specs.append(known)
        text, sha = texts[spec.name], shas[spec.name]
        code = isolated_code(process, spec.program)
        sources.append(StrategySource(spec.name, text, sha, code, trouble))
    return replace(parameters, strategies=tuple(specs)), tuple(sources)


def _ask(spec: StrategySpec, process: StrategyProcess) -> tuple[StrategySpec, str]:
    """(the strategy with its file's numbers, why its code cannot be asked or "")."""
    try:
        known = with_defaults(spec, process.parameters())
    except StrategyError as error:
        raise UsageError(str(error), "edit the strategy file or strategies.yaml") from error
    except StrategyRaised as error:
        return spec, f"STRATEGY_FAILED why=load error={type(error).__name__}"
    except StrategyLost as lost:
        return spec, lost.trouble
    try:
        process.warmup(known.numbers)
    except StrategyLost as lost:
        return known, lost.trouble
    except (StrategyRaised, ValueError):
        pass  # the decision asks again, and says so
    return known, ""


def _sentence(name: str, process: StrategyProcess, trouble: str) -> str:
    """What went wrong in words."""
    try:
        process.parameters()
    except StrategyRaised as error:
        place = f" in line {error.line}" if error.line else ""
        return (
            f"{error}{place}"
            if str(error).startswith("strategy ")
            else (f"strategy {name}: fails when loaded: {error}{place}")
        )
    except StrategyLost:
        pass
    return f"strategy {name}: {trouble}"


def _rules_alone(spec: StrategySpec) -> StrategyCode:
    return StrategyCode(_no_warmup, _no_columns, spec.program)


def _no_warmup(numbers: Mapping[str, float | int]) -> int:
    """Rules say themselves how many bars they need."""
    del numbers
    return 0


def _no_columns(bars: Any, numbers: Mapping[str, float | int]) -> Columns:
    """Rules alone have no columns of a file."""
    del bars, numbers
    return {}
