"""Days and findings as plain data: decimals as text, dates of local days, sentences that help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.core.made import BAR_MS, UNIT, account, order_row, sent
from trader.app.day_rows import account_marks, date_text, findings, recent_rows, today_row
from trader.app.status import read_status
from trader.core.fold import fold
from trader.core.state import State
from trader.journal.journal import Journal

from .test_status import write_books

DAY = 20_000  # 2024-10-04


def walked() -> State:
    """Two days: +5 of which 3 realised, then a deposit of 100 and a loss of 7.25."""
    state = account(1_000 * UNIT)
    for bar_ms, day, equity in ((1, DAY, 1_000), (2, DAY, 1_005), (3, DAY + 2, 1_005)):
        marks = {"day": day, "equity_units": equity * UNIT, "day_units": 1_000 * UNIT}
        if day != DAY:
            marks["day_units"] = 1_005 * UNIT
        told = {"results": {"one": 5 * UNIT}} if bar_ms == 2 else {}
        fold(state, "plan", {"bar_ms": bar_ms, "legs": [], "marks": marks, **told})
    flow = {"flow_id": "f", "kind": "deposit", "asset": "USDT", "amount": "100"}
    fold(state, "flow", {**flow, "units": 100 * UNIT, "by": "ann", "why": "x", "at_ms": 1})
    marks = {"equity_units": 109_775 * UNIT // 100}
    fold(state, "plan", {"bar_ms": 4, "legs": [], "marks": marks})
    return state


def test_days_are_dates_with_exact_decimals() -> None:
    state = walked()
    first, second = recent_rows(state)
    assert (first["date"], first["result"], first["flows"]) == ("2024-10-04", "5", "0")
    assert (second["date"], second["result"], second["flows"]) == ("2024-10-06", "-7.25", "100")
    assert (second["start"], second["end"], second["low_result"]) == ("1005", "1097.75", "-7.25")
    assert today_row(state) == second
    assert recent_rows(state, count=2) == [second]


def test_a_strategys_day_without_a_change_is_a_day_of_nothing() -> None:
    state = walked()
    assert [row["result"] for row in recent_rows(state, "one")] == ["5"]
    today = today_row(state, "one")
    assert today is not None
    assert (today["date"], today["result"], today["entries"]) == ("2024-10-06", "0", 0)


def test_before_the_first_decision_there_is_no_day() -> None:
    assert today_row(account()) is None
    assert recent_rows(account()) == []
    assert findings(account()) == []


def test_dates_of_days_over_leap_years() -> None:
    days = {0: "1970-01-01", 11_016: "2000-02-29", 19_782: "2024-02-29", 22_280: "2031-01-01"}
    assert {number: date_text(number) for number in days} == days


def test_findings_say_who_ends_them() -> None:
    state = walked()
    stops = {"day_stopped": 1, "drawdown_stopped": 1, "day_ends_ms": (DAY + 3) * 86_400_000}
    told = {"shadow": [["one", "STRATEGY_QUALITY limit=1"]], "stopped": ["two"]}
    fold(state, "plan", {"bar_ms": 5, "legs": [], "marks": stops, **told})
    day, mark, shadow, stopped = findings(state)
    assert "until day 2024-10-06 ends, 2024-10-07 00:00Z" in day
    assert mark.endswith("trader resume --mark --by NAME --reason TEXT")
    assert shadow.startswith("strategy one only watches, STRATEGY_QUALITY limit=1; to let it go on")
    assert stopped.startswith("strategy two is stopped, STRATEGY_DRAWDOWN; to let it go on: trader")


def test_status_shows_the_days_of_the_account_and_of_its_strategies(tmp_path: Path) -> None:
    write_books(tmp_path / "books")
    with Journal.open(tmp_path / "books" / "journal.db") as journal:
        marks = {"day": DAY, "day_units": 1_000 * UNIT, "equity_units": 1_001 * UNIT}
        plan: dict[str, Any] = {
            "bar_ms": 180_000,
            "legs": [],
            "marks": marks,
            "results": {"hand": 2 * UNIT},
        }
        journal.append("plan", plan, 9)
    row = read_status(tmp_path / "books").row
    assert (row["day"]["date"], row["day"]["result"]) == ("2024-10-04", "1")
    assert [day["end"] for day in row["days"]] == ["1001"]
    (hand,) = row["strategies"]
    assert hand["day"]["result"] == "2"
    assert row["findings"] == []
    assert (row["in_flight"], row["entries_hour"], row["entries_day"]) == ("0", 1, 1)


def test_marks_and_money_in_flight_are_told() -> None:
    state = walked()
    marks = {"high_units": 1_200 * UNIT, "close_ms": BAR_MS + 3_600_000 - 1}
    fold(state, "plan", {"bar_ms": 5, "legs": [], "marks": marks})
    sent(state, order_row(qty_lots=10), outcome="unknown")  # 1 USDT and 0.1 % of it
    assert account_marks(state) == {
        "high": "1200",
        "drawdown": "102.25",
        "in_flight": "1.001",
        "entries_hour": 1,
        "entries_day": 1,
    }
    later = {"close_ms": BAR_MS + 3_600_000}
    fold(state, "plan", {"bar_ms": 6, "legs": [], "marks": later})
    assert (account_marks(state)["entries_hour"], account_marks(state)["entries_day"]) == (0, 1)
