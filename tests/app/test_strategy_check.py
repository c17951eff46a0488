"""The check of strategy files: what breaks the contract is found, what keeps it passes."""

from __future__ import annotations

import pytest

from trader.app.strategy_check import check_strategy
from trader.app.strategy_markets import FUTURES, KINDS, given_market, made_market, shaken
from trader.app.strategy_verdict import (
    CODES,
    REFUSED,
    Subject,
    Verdict,
    exact_difference,
    near_difference,
    settles,
    shown,
    spread,
    verdict_of,
)
from trader.app.strategy_wire import SHOWN

from .strategy_files import HOUR_MS, closes_series, strategy

RISE = "enter = [i > 3 and c[i] > c[i - 4] * 1.003 for i in range(n)]"
FALL = "leave = [i > 3 and c[i] < c[i - 4] for i in range(n)]"


def subject(text: str, step_ms: int = HOUR_MS) -> Subject:
    return Subject("one", text, None, step_ms, 128)


def checked(body: str, imports: str = "math", top: str = "", warmup: str = "p['n']") -> Verdict:
    text = strategy(body, imports=imports, top=top, warmup=warmup)
    return check_strategy(subject(text), 20.0)


def test_a_function_of_its_bars_passes_on_every_timeframe() -> None:
    for step_ms in (60_000, HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS):
        verdict = check_strategy(subject(strategy(f"{RISE}\n    {FALL}"), step_ms), 20.0)
        assert (verdict.code, verdict.warmup) == ("", 4), verdict
        assert verdict.evaluations > 200


FIRST = "FIRST = list({'a', 'b', 'c', 'd', 'e', 'f', 'g'}).index('a')"
FOUND = {
    "the close to come": ("enter = [x > y for x, y in zip(c[1:], c)] + [0]", "LOOKS_AHEAD"),
    "the mean of the window": ("leave = [x < sum(c) / n for x in c]", "LOOKS_AHEAD"),
    "what comes after a gap": (
        "enter = [0 < i < n - 3 and bars.open[i] > 1.05 * c[i - 1] < c[i + 3] for i in range(n)]",
        "LOOKS_AHEAD",
    ),
    "only the last row": (f"{RISE}\n    enter[:-1] = [0] * (n - 1)", "LOOKS_AHEAD"),
    "a row too far back": (
        "enter = [i > 4 and c[i] > c[i - 5] * 1.003 for i in range(n)]",
        "WARMUP_SHORT",
    ),
    "the row's number": ("leave = [i % 2 for i in range(n)]", "HISTORY_LENGTH"),
    "what was asked before": (
        "SEEN.append(c[0])\n    leave = [x > SEEN[0] for x in c]",
        "HIDDEN_STATE",
    ),
    "that it was asked before": (
        "again = c[-1] in SEEN\n    SEEN.append(c[-1])\n    leave = [again] * n",
        "HIDDEN_STATE",
    ),
    "chance": ("leave = [random.random() < 0.5 for _ in c]", "RANDOM"),
    "the hour": ("leave = [time.gmtime().tm_hour < 12] * n", "CLOCK"),
    "the minute of the hour": ("leave = [time.time() // 60 % 2 < 1] * n", "CLOCK"),
    "one minute of many": ("leave = [time.time() // 60 % 9 < 1] * n", "CLOCK"),
    "a column that nobody knows": (
        "return {'enter': enter, 'exit': leave, 'stop': stop, 'traget': stop}",
        "FAILS",
    ),
    "the order of a set": (
        "leave = [at // 3_600_000 % 7 == FIRST for at in bars.open_ms]",
        "HASH_ORDER",
    ),
    "a file": ("open('answers.csv')", "REACHES_OUT"),
    "a column that is too short": ("enter = [0]", "SHAPE"),
    "a column that is not there": ("return {'enter': enter, 'exit': leave}", "SHAPE"),
    "standard output": ("print(n)", "PRINTS"),
    "an exception": ("1 / 0", "FAILS"),
    "an end": ("os._exit(0)", "LOST"),
}


@pytest.mark.parametrize("what", FOUND)
def test_what_a_value_must_not_depend_on_is_found_and_named(what: str) -> None:
    body, code = FOUND[what]
    verdict = checked(body, imports="os, random, time", top=f"SEEN = []\n{FIRST}")
    assert verdict.code == code, verdict
    assert verdict.refused == (code in REFUSED)
    assert not verdict.passed
    assert CODES[code] in verdict.said or code in {"SHAPE", "LOST"}


def test_the_first_bar_that_differs_is_named_with_both_values() -> None:
    verdict = checked("enter = [i + 1 < n and c[i + 1] > c[i] for i in range(n)]")
    assert (verdict.column, {verdict.expected, verdict.found}) == ("enter", {"yes", "no"})
    assert verdict.market in KINDS
    assert verdict.at_ms > 0
    assert verdict.at_ms % HOUR_MS == 0
    assert "enter of the bar 20" in verdict.said


def test_a_warmup_that_is_no_number_of_bars_or_changes_is_refused() -> None:
    assert checked("", warmup="-1").code == "WARMUP_INVALID"
    assert checked("", warmup="'many'").code == "WARMUP_INVALID"
    chance = checked("", imports="random", warmup="random.randrange(1000)")
    assert chance.code == "WARMUP_INVALID"


def test_a_tie_that_a_hair_decides_is_no_matter_of_warmup() -> None:
    """A sum that runs along leaves other last bits for another start: equal prices tie."""
    body = (
        "total, sums = 0.0, []\n"
        "    for i in range(n):\n"
        "        total += c[i] * 0.1 - (c[i - 4] * 0.1 if i > 3 else 0.0)\n"
        "        sums.append(total)\n"
        "    leave = [i > 7 and sums[i] < sums[i - 4] for i in range(n)]"
    )
    assert checked(body, warmup="8").passed


def test_given_bars_are_looked_at_too() -> None:
    """A condition that only these bars meet: generated prices never stand at 7777."""
    body = "leave = [i + 1 < n and c[i + 1] == 7777.0 for i in range(n)]"
    assert checked(body).passed
    rows = 400
    series = closes_series([7000] * 200 + [7777] * 4 + [7000] * (rows - 204))
    verdict = check_strategy(subject(strategy(body)), 20.0, {"BTC/USDT": given_market(series)})
    assert (verdict.code, verdict.market) == ("LOOKS_AHEAD", "BTC/USDT")


def test_bars_that_are_too_few_are_said_to_be() -> None:
    series = closes_series([100] * 10)
    verdict = check_strategy(subject(strategy()), 20.0, {"BTC/USDT": given_market(series)})
    assert verdict.notes == ("BTC/USDT has 10 bars, too few for this warm-up",)


def test_made_bars_are_the_same_for_a_seed_and_possible() -> None:
    for kind in KINDS:
        made, again = (made_market(kind, 3, 300, HOUR_MS) for _ in range(2))
        for name in SHOWN:
            assert getattr(made, name) == getattr(again, name)
        rows = zip(made.open, made.high, made.low, made.close, made.volume, strict=True)
        for first, high, low, last, volume in rows:
            assert 0.0 < low <= min(first, last) <= max(first, last) <= high
            assert volume >= 0.0
        assert all(b - a >= HOUR_MS for a, b in zip(made.open_ms, made.open_ms[1:], strict=False))
    closes = {kind: tuple(made_market(kind, 3, 300, HOUR_MS).close) for kind in KINDS}
    assert len({*closes.values()}) == len(KINDS)


def test_a_changed_future_keeps_what_came_before_it() -> None:
    made = made_market("trend", 1, 60, HOUR_MS)
    for change in FUTURES.values():
        changed = change(made, 40)
        for name in SHOWN:
            assert getattr(changed, name)[:40] == getattr(made, name)[:40]
        assert any(getattr(changed, name)[40:] != getattr(made, name)[40:] for name in SHOWN)
    moved = shaken(made, 1e-4, 1)
    assert 0.0 < max(abs(a - b) for a, b in zip(made.close, moved.close, strict=True)) < 0.1


def test_two_answers_are_compared_number_by_number() -> None:
    nan = float("nan")
    mine = {"enter": [0.0, 1.0, 0.0], "stop": [nan, 1.0, 2.0]}
    assert exact_difference(mine, {"enter": [0.0, 1.0, 0.0], "stop": [nan, 1.0, 2.0]}, 0, 3) is None
    found = exact_difference(mine, {"enter": [0.0, 1.0, 1.0], "stop": [nan, nan, 2.0]}, 0, 3)
    assert found is not None
    assert (found.row, found.column, shown(found.column, found.found)) == (1, "stop", "nan")
    missing = exact_difference(mine, {"enter": [0.0, 1.0, 0.0]}, 0, 3)
    assert missing is not None
    assert missing.column == "stop"
    shorter = {"enter": [1.0, 0.0], "stop": [1.0, 2.0 + 1e-4]}
    assert near_difference(mine, shorter, 1, 3, -1) == []
    other = {"enter": [0.0, 0.0], "stop": [1.0, 2.1]}
    assert [each.column for each in near_difference(mine, other, 1, 3, -1)] == ["enter", "stop"]


def test_a_memory_that_fades_settles_and_one_that_does_not_never_does() -> None:
    assert settles("stop", [8.0, 4.0, 2.0, 1.0, 0.5], [0.0, 100.0])
    assert settles("stop", [8.0, 3.0, 3.0, 3.0], [0.0, 100.0])
    assert not settles("stop", [1.0, 2.0, 3.0, 4.0], [0.0, 100.0])
    assert settles("enter", [0.0, 1.0, 1.0, 1.0], [0.0, 1.0])
    assert not settles("enter", [0.0, 1.0, 0.0, 1.0], [0.0, 1.0])


def test_a_verdict_is_read_back_as_it_was_written() -> None:
    verdict = checked("print(n)")
    assert verdict_of(verdict.row()) == verdict
    assert verdict.printed
    with pytest.raises(ValueError, match="unknown code"):
        verdict_of({**verdict.row(), "code": "FINE"})


def test_places_are_spread_evenly() -> None:
    assert spread([1, 2, 3], 5) == [1, 2, 3]
    assert spread(list(range(101)), 5) == [0, 25, 50, 75, 100]
