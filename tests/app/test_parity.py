"""Parity: the back-test decides as the journal did; what a free run differs by has its cause."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trader.app.parity import ParityOptions, ParityReport, journals_at_hand, parity
from trader.app.parity_causes import Cause, Difference, roots_of
from trader.app.stopping import stop_entries
from trader.domain.instrument import Instrument
from trader.errors import ExitCode, VenueUnavailable
from trader.journal.codec import Entry
from trader.journal.journal import Journal
from trader.journal.segments import close_segment

from .trail_world import MINUTE_MS, START_MS, TrailWorld, copy_journal

Change = Callable[[Entry], list[tuple[str, dict[str, Any]]]]
TIER = """
timeframe: 5m
refresh: 12h
tiers:
  rotational:
    pairs: [BTC/USDT, ETH/USDT]
    filters: {spread_max: 100bps}
    take: 1
    rank_by: quote_volume
"""
FOLLOWING = """
cross:
  file: ma_cross.py
  tier: rotational
  timeframe: 1m
  size: {equity_share: 5%}
  parameters: {fast: 3, slow: 8, atr: 5, stop_atr: 1.0}
"""
HUMAN = {"by": "ann", "why": "a test"}


def compared(path: Path, **options: Any) -> ParityReport:
    """The report on a journal and the sealed files beside it."""
    with journals_at_hand(path) as journals:
        return parity(journals, ParityOptions(**options))


def rules_of(world: TrailWorld) -> dict[str, Instrument]:
    """The venue's instruments."""
    return world.market.fetch_instruments()


def told(report: ParityReport, cause: Cause) -> list[Difference]:
    """Differences with that cause."""
    return [found for found in report.differences if cause in found.causes]


def append(world: TrailWorld, fact: str, **payload: Any) -> None:
    """A fact that came from outside a cycle."""
    now_ms = world.clock.now_ms()
    with Journal.open(world.journal_path) as journal:
        journal.append(fact, {**HUMAN, "at_ms": now_ms, **payload}, now_ms)


def test_an_hour_is_decided_again_and_every_difference_has_its_cause(lived: TrailWorld) -> None:
    report = compared(lived.journal_path)
    assert report.proven, report.row()
    assert report.exit_code is ExitCode.OK
    assert (report.plans, report.bars) == (60, 60)
    assert (report.first_ms, report.last_ms) == (START_MS - MINUTE_MS, START_MS + 58 * MINUTE_MS)
    assert report.steps > 10
    assert report.acts > 10
    assert report.orders > 10
    assert report.live["quotes"] == 60
    assert "troubles" not in report.live
    # Quotes beside the close are all that this hour's venue did otherwise.
    assert set(report.roots()) <= {"QUOTE", "CLOCK", "EXPIRED"}
    assert told(report, Cause.QUOTE)


def test_every_chain_leads_back_to_a_cause_of_its_own(lived: TrailWorld) -> None:
    report = compared(lived.journal_path)
    roots = roots_of(report.differences)
    for number, found in enumerate(report.differences, start=1):
        assert found.number == number
        assert all(earlier < number for earlier in found.follows)
        assert (Cause.FOLLOWS in found.causes) == bool(found.follows)
        assert roots[number]
        assert Cause.FOLLOWS not in roots[number]


def test_parity_only_reads(lived: TrailWorld) -> None:
    before = {path: path.read_bytes() for path in lived.folder.iterdir() if path.is_file()}
    compared(lived.journal_path)
    kept = {path: path.read_bytes() for path in before}
    assert kept == before


def test_the_report_is_plain_data_and_the_same_each_time(lived: TrailWorld) -> None:
    first, second = (compared(lived.journal_path).row() for _ in range(2))
    assert first == second
    assert first["free"]["unexplained"] == 0
    assert len(first["free"]["differences"]) == sum(first["free"]["differing"].values())


def test_a_journal_without_decisions_proves_nothing(fresh: TrailWorld) -> None:
    Journal.open(fresh.journal_path, create=True).close()
    report = compared(fresh.journal_path)
    assert not report.proven
    assert report.exit_code is ExitCode.PROOF_FAILED


def test_a_part_of_the_time_is_compared_from_the_account_as_it_was(lived: TrailWorld) -> None:
    first_ms, end_ms = START_MS + 20 * MINUTE_MS, START_MS + 40 * MINUTE_MS
    report = compared(lived.journal_path, from_ms=first_ms, until_ms=end_ms)
    assert report.proven, report.row()
    assert report.plans == 20
    assert (report.first_ms, report.last_ms) == (first_ms, end_ms - MINUTE_MS)
    assert all(first_ms <= found.bar_ms < end_ms for found in report.differences)


def test_a_wider_model_is_another_free_run_and_the_same_decisions(lived: TrailWorld) -> None:
    report = compared(lived.journal_path, spread_ppm=5_000)
    assert report.proven, report.row()
    assert report.stepped == []
    assert told(report, Cause.QUOTE)


# --- another history -----------------------------------------------------------------------------


def changed(kind: str, change: Callable[[dict[str, Any]], bool]) -> Change:
    """Applies `change` to entries of a kind until it says that it did something."""
    done = [False]

    def apply(entry: Entry) -> list[tuple[str, dict[str, Any]]]:
        row = deepcopy(entry.payload)
        if entry.kind == kind and not done[0]:
            done[0] = change(row)
        return [(entry.kind, row)]

    return apply


def other_leg(name: str, by: int) -> Callable[[dict[str, Any]], bool]:
    """A leg with another number."""

    def change(row: dict[str, Any]) -> bool:
        for leg in row["legs"]:
            if leg["side"] == "buy":
                leg[name] += by
                return True
        return False

    return change


def no_refusal(row: dict[str, Any]) -> bool:
    """A plan that told one refusal more."""
    row["refused"].append(["cross", "BTC/USDT", "buy", "CASH", "limit=0 measured=1 unit=cash"])
    return True


def other_member(row: dict[str, Any]) -> bool:
    """A tier with another member."""
    row["members"] = {"core": f"{row['bar_ms']} BTC/USDT"}
    return True


def other_action(row: dict[str, Any]) -> bool:
    """A step that gave nothing to do, though something was done."""
    if row["actions"]:
        row["actions"] = []
        return True
    return False


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("plan", other_leg("qty_lots", 1), "legs[0].qty_lots"),
        ("plan", other_leg("price_ticks", 1), "legs[0].price_ticks"),
        ("plan", other_leg("stop_ticks", 1), "legs[0].stop_ticks"),
        ("plan", no_refusal, "refused.length"),
        ("plan", other_member, "members"),
        ("step", other_action, "actions.length"),
    ],
)
def test_a_decision_that_was_not_made_so_is_found(
    lived: TrailWorld, tmp_path: Path, kind: str, change: Any, words: str
) -> None:
    copy_journal(lived.journal_path, tmp_path / "journal.db", changed(kind, change))
    report = compared(tmp_path / "journal.db")
    assert report.exit_code is ExitCode.PROOF_FAILED
    assert words in report.stepped[0]
    if kind == "plan":
        first = report.unexplained[0]
        assert first.causes == (Cause.UNEXPLAINED,)
        assert first.what == "decision"


def test_an_act_that_no_step_asked_for_is_found(lived: TrailWorld, tmp_path: Path) -> None:
    """Steps that send are left out; what they sent stands there all the same."""

    def change(entry: Entry) -> list[tuple[str, dict[str, Any]]]:
        row = deepcopy(entry.payload)
        sends = entry.kind == "step" and "Send" in [action["do"] for action in row["actions"]]
        return [] if sends else [(entry.kind, row)]

    copy_journal(lived.journal_path, tmp_path / "journal.db", change)
    report = compared(tmp_path / "journal.db")
    assert report.exit_code is ExitCode.PROOF_FAILED
    assert "(order_sent): no decision asked for it" in report.stepped[0]


def test_a_fill_that_its_limit_forbids_is_unexplained(lived: TrailWorld, tmp_path: Path) -> None:
    def change(row: dict[str, Any]) -> bool:
        row["price_ticks"] += 1_000 if row["side"] == "buy" else -1_000
        return True

    copy_journal(lived.journal_path, tmp_path / "journal.db", changed("fill", change))
    report = compared(tmp_path / "journal.db")
    assert report.exit_code is ExitCode.PROOF_FAILED
    assert [(found.what, found.where) for found in report.unexplained] == [("fill", "price_ticks")]


def test_a_decision_whose_bars_are_not_there_is_undecidable(
    lived: TrailWorld, tmp_path: Path
) -> None:
    def change(row: dict[str, Any]) -> bool:
        row["rows"].pop()
        return True

    copy_journal(lived.journal_path, tmp_path / "journal.db", changed("bars", change))
    report = compared(tmp_path / "journal.db")
    assert report.exit_code is ExitCode.PROOF_FAILED
    assert report.undecidable


# --- what may happen to an account ---------------------------------------------------------------


def test_minutes_that_nobody_decided_are_missed_cycles(fresh: TrailWorld) -> None:
    fresh.run(15)
    for _ in range(5):
        fresh.next_minute()
    fresh.run(15)
    report = compared(fresh.journal_path)
    assert report.proven, report.row()
    assert (report.plans, report.bars) == (30, 35)
    missed = told(report, Cause.MISSED_CYCLE)
    assert [found.bar_ms for found in missed] == [
        START_MS + minute * MINUTE_MS for minute in range(14, 19)
    ]
    assert missed[0].proof == "no cycle began for this bar"


def test_a_bar_that_is_told_anew_is_named_with_the_entry_that_did(fresh: TrailWorld) -> None:
    fresh.run(12)
    honest = fresh.market.fetch_bars

    def repainted(symbol: str, timeframe: str, since_ms: int, limit: int) -> Any:
        """The newest closed minute closes where it was lowest."""
        rows = list(honest(symbol, timeframe, since_ms, limit))
        old = rows[-2]
        rows[-2] = type(old)(old.open_ms, old.open, old.high, old.low, old.low, old.volume)
        return rows

    fresh.market.fetch_bars = repainted  # the venue's doing, for one minute
    fresh.run(1)
    fresh.market.fetch_bars = honest
    fresh.run(12)
    report = compared(fresh.journal_path)
    assert report.proven, report.row()
    found = told(report, Cause.BAR_REPAINTED)
    assert START_MS + 11 * MINUTE_MS in [difference.bar_ms for difference in found]
    assert any("told anew by entry" in difference.proof for difference in found)


def test_a_minute_without_any_bar_is_decided_by_the_journal_alone(fresh: TrailWorld) -> None:
    honest = fresh.market.fetch_bars
    quiet_ms = START_MS + 15 * MINUTE_MS

    def silent(symbol: str, timeframe: str, since_ms: int, limit: int) -> Any:
        """Nobody traded for a minute."""
        rows = honest(symbol, timeframe, since_ms, limit)
        return [row for row in rows if timeframe != "1m" or row.open_ms != quiet_ms]

    fresh.market.fetch_bars = silent
    fresh.run(30)
    report = compared(fresh.journal_path)
    assert report.proven, report.row()
    assert (report.plans, report.bars) == (30, 29)
    (found,) = told(report, Cause.NO_BAR)
    assert (found.bar_ms, found.journal, found.free) == (quiet_ms, "decided", "absent")


def test_what_could_not_be_read_is_named_by_its_code(fresh: TrailWorld) -> None:
    fresh.run(12)
    honest = fresh.market.fetch_bars

    def failing(symbol: str, timeframe: str, since_ms: int, limit: int) -> Any:
        """The venue serves one instrument alone."""
        if symbol == "BTC/USDT":
            raise VenueUnavailable("made fetch_bars: HTTP 502", "the next timer")
        return honest(symbol, timeframe, since_ms, limit)

    fresh.market.fetch_bars = failing
    fresh.run(1)
    fresh.market.fetch_bars = honest
    fresh.run(12)
    report = compared(fresh.journal_path)
    assert report.proven, report.row()
    assert report.live["troubles"] == 1
    found = told(report, Cause.DATA_TROUBLE) + told(report, Cause.BAR_LATE)
    assert {difference.bar_ms for difference in found} == {START_MS + 11 * MINUTE_MS}


def test_prices_are_followed_to_another_tick(fresh: TrailWorld) -> None:
    fresh.run(20)
    finer = {name: replace(rules, tick=rules.tick / 10) for name, rules in rules_of(fresh).items()}
    fresh.market.fetch_instruments = lambda: finer
    fresh.market.instruments_for = lambda symbols: {name: finer[name] for name in symbols}
    for _ in range(3):
        fresh.next_minute()  # decided by the free run, in the new tick
    fresh.run(20)
    with Journal.open(fresh.journal_path, read_only=True) as journal:
        told_twice = sum(1 for _ in journal.entries(kinds=("instrument",)))
    assert told_twice == 4
    report = compared(fresh.journal_path)
    assert report.proven, report.row()
    assert (report.plans, report.bars) == (40, 43)


def test_a_halt_and_what_follows_from_it_are_told(fresh: TrailWorld) -> None:
    fresh.run(20)
    with Journal.open(fresh.journal_path) as journal:
        stop_entries(journal, "ann", "a test", fresh.clock.now_ms())
    fresh.run(20)
    append(fresh, "resume", level="running")
    fresh.run(5)
    report = compared(fresh.journal_path)
    assert report.proven, report.row()
    (halt,) = told(report, Cause.HALT)
    assert (halt.what, halt.where) == ("event", "halt")
    (resume,) = told(report, Cause.RESUME)
    roots = roots_of(report.differences)
    refused = [
        found
        for found in report.differences
        if halt.number < found.number < resume.number and found.what == "decision"
    ]
    assert any(Cause.HALT in roots[found.number] for found in refused)


@pytest.mark.parametrize(
    ("kind", "payload", "cause"),
    [
        (
            "flow",
            {"flow_id": "f", "kind": "withdrawal", "asset": "USDT", "amount": "-9"},
            Cause.FLOW,
        ),
        ("exit_asked", {"symbol": "*"}, Cause.EXIT_ASKED),
        ("approval", {"code": "c", "policy": "p", "lock": "l"}, Cause.APPROVAL),
        ("venue_fault", {}, Cause.VENUE_FAULT),
    ],
)
def test_what_people_and_venue_did_is_told(
    fresh: TrailWorld, kind: str, payload: dict[str, Any], cause: Cause
) -> None:
    fresh.run(20)
    if kind == "flow":
        with Journal.open(fresh.journal_path, read_only=True) as journal:
            payload = {**payload, "units": -9 * 10 ** journal.state.number("cash_digits")}
    append(fresh, kind, **payload)
    fresh.run(20)
    report = compared(fresh.journal_path)
    assert report.proven, report.row()
    assert "event" in {found.what for found in told(report, cause)}
    assert cause in {root for roots in roots_of(report.differences).values() for root in roots}


def test_a_policy_that_changes_is_followed(fresh: TrailWorld) -> None:
    fresh.run(12)
    fresh.reload(TRADER__POLICY__LIMITS__POSITIONS_MAX="1")
    fresh.run(12)
    source = fresh.folder / "config" / "strategies" / "ma_cross.py"
    source.write_text(source.read_text() + "\n# a new version\n")
    fresh.reload(TRADER__POLICY__LIMITS__SLIPPAGE="1bps")
    fresh.run(12)
    report = compared(fresh.journal_path)
    assert report.proven, report.row()
    assert report.plans == 36


def test_members_of_a_tier_are_chosen_alike_though_nobody_followed_the_others(
    fresh: TrailWorld,
) -> None:
    config = fresh.folder / "config"
    (config / "universe.yaml").write_text(TIER)
    (config / "strategies.yaml").write_text(FOLLOWING)
    fresh.reload()
    fresh.run(30)
    with Journal.open(fresh.journal_path, read_only=True) as journal:
        asked = {
            (str(entry.payload["symbol"]), str(entry.payload["timeframe"]))
            for entry in journal.entries(kinds=("bars",))
        }
        chosen = journal.state.members["rotational"]
    followed = chosen.split(" ")[1]
    assert {symbol for symbol, timeframe in asked if timeframe == "1m"} == {followed}
    assert len({symbol for symbol, timeframe in asked if timeframe == "5m"}) == 2
    report = compared(fresh.journal_path)
    assert report.proven, report.row()
    assert not [found for found in report.differences if found.where.startswith("members")]


def test_an_order_that_was_never_sent_is_told(
    fresh: TrailWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        pass

    def die(_executor: object) -> bool:
        raise Died

    died = 0
    with monkeypatch.context() as patched:
        patched.setattr("trader.app.execute.Executor._sent_before", die)
        while not died:
            try:
                fresh.run(1)
            except Died:
                died += 1
                fresh.next_minute()
    fresh.run(10)
    report = compared(fresh.journal_path)
    assert report.proven, report.row()
    found = told(report, Cause.NOT_SENT)
    assert found
    assert "older_bar" in found[0].proof


# --- sealed segments -----------------------------------------------------------------------------


def test_sealed_parts_that_lie_beside_the_journal_are_compared_with_it(fresh: TrailWorld) -> None:
    for _ in range(2):
        fresh.run(15)
        close_segment(fresh.journal_path, fresh.clock.now_ms())
    fresh.run(15)
    report = compared(fresh.journal_path)
    assert report.proven, report.row()
    assert (report.plans, report.bars, report.archived) == (45, 45, [])


def test_a_sealed_part_that_was_moved_away_is_never_ok(fresh: TrailWorld, tmp_path: Path) -> None:
    fresh.run(15)
    close_segment(fresh.journal_path, fresh.clock.now_ms())
    fresh.run(15)
    (sealed,) = fresh.folder.glob("journal.segment-*.db")
    (tmp_path / "away").mkdir()
    sealed.rename(tmp_path / "away" / sealed.name)
    report = compared(fresh.journal_path)
    assert report.exit_code is ExitCode.PROOF_FAILED
    assert "inputs archived in segment 1" in report.archived[0]
    # What is left is compared all the same, from the account as it was carried over.
    assert report.plans == 15
    assert report.stepped == []
    assert report.unexplained == []
