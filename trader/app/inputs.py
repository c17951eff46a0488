"""Decision inputs: from a checked form and strategy texts to what `plan` reads.

Lives here: the one way that cycle, back-test and replay get parameters and strategy code, so that
none of them can load a policy differently. Must not live here: reading files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trader.app.context import StrategySource
from trader.core.parameters import Parameters, StrategySpec
from trader.core.strategy import StrategyError, load_strategy, with_defaults
from trader.errors import UsageError
from trader.policy.parameters import build_parameters


def decision_inputs(
    form: Mapping[str, Any], texts: Mapping[str, str]
) -> tuple[Parameters, tuple[StrategySource, ...]]:
    """Parameters and compiled strategies; `texts` holds each strategy's source by its name.

    Raises UsageError when a strategy file cannot be used or lacks a configured parameter.
    """
    shas = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    parameters = build_parameters(dict(form), shas)
    sources: list[StrategySource] = []
    specs: list[StrategySpec] = []
    try:
        for spec in parameters.strategies:
            code, defaults = load_strategy(spec.name, texts[spec.name])
            specs.append(with_defaults(spec, defaults))
            sources.append(StrategySource(spec.name, texts[spec.name], shas[spec.name], code))
    except StrategyError as error:
        raise UsageError(str(error), "edit the strategy file or strategies.yaml") from error
    return replace(parameters, strategies=tuple(specs)), tuple(sources)
