"""Keys of other programs and of earlier versions: refused with what to write instead."""

from __future__ import annotations

import pytest

from trader.policy.checking import all_keys, examine
from trader.policy.foreign_keys import FOREIGN, MOVED

from .conftest import FindSources


def _hint(sources_of: FindSources, **files: str) -> str:
    _, problems, _ = examine(sources_of(**files), {})
    (problem,) = [p for p in problems if p.code == "UNKNOWN_KEY"]
    return problem.hint


@pytest.mark.parametrize(
    ("section", "text", "part"),
    [
        ("policy", "limits:\n  max_open_trades: 3\n", "positions_max"),
        ("policy", "max-drawdown: 10%\n", "drawdown_max"),
        ("strategies", "cross:\n  stoploss: -0.1\n", "stop: 5%"),
        ("strategies", "cross:\n  trailing_stop: true\n", "trail: 4%"),
        ("app", "stake_currency: USDT\n", "app.quote"),
        ("app", "dry_run: true\n", "app.mode: paper"),
        ("strategies", "cross:\n  can_short: true\n", "only what is held is sold"),
        ("policy", "limits:\n  leverage: 3\n", "only spot"),
        (
            "universe",
            "tiers: {core: {pairs: [BTC/USDT, ETH/USDT]}}\ninstruments: [BTC/USDT]\n",
            "tiers.core.pairs",
        ),
    ],
)
def test_a_key_of_another_program_is_refused_with_the_one_of_this(
    sources_of: FindSources, section: str, text: str, part: str
) -> None:
    assert part in _hint(sources_of, **{section: text})


def test_no_foreign_word_is_a_key_of_ours() -> None:
    leaves = {key.rpartition(".")[2] for key in all_keys()}
    assert not leaves & set(FOREIGN)
    assert not set(all_keys()) & set(MOVED)


def test_what_is_named_instead_exists() -> None:
    keys = set(all_keys())
    parts = {part for key in keys for part in key.split(".")}
    for word, instead in FOREIGN.items():
        named = [text.strip(",:") for text in instead.split() if "." in text]
        for dotted in named:
            assert dotted in keys or set(dotted.split(".")) <= parts, (word, dotted)


def test_a_regime_s_state_is_not_called_unknown(sources_of: FindSources) -> None:
    universe = (
        "tiers: {core: {pairs: [BTC/USDT, ETH/USDT]}}\nregime:\n  states:\n"
        "    unknown: {tiers: [core], risk: 100%}\n"
    )
    _, problems, _ = examine(sources_of(universe=universe), {})
    assert [(p.line, p.code) for p in problems] == [(4, "REGIME_STATES")]
