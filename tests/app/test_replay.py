"""Replay: what was decided is decided again from the journal alone, and nothing slips through."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from trader.app.replay import replay, replay_iter
from trader.core.plan import plan, plan_payload
from trader.errors import ExitCode, JournalError, ProofFailed
from trader.journal.codec import Entry
from trader.journal.journal import Journal
from trader.journal.segments import close_segment

from .trail_world import MINUTE_MS, START_MS, TrailWorld, copy_journal

CODE = "another code"


def kinds(path: Path) -> Counter[str]:
    """How many entries of each kind."""
    with Journal.open(path, read_only=True) as journal:
        return Counter(entry.kind for entry in journal.entries())


def replayed(world: TrailWorld, path: Path | None = None, **options: Any) -> Any:
    """The report on a journal."""
    with Journal.open(path or world.journal_path, read_only=True) as journal:
        return replay(journal, world.setup.code_sha, **options)


def test_every_plan_step_and_act_of_an_hour_is_decided_again_equal(lived: TrailWorld) -> None:
    report = replayed(lived)
    seen = kinds(lived.journal_path)
    assert report.proven, report
    assert report.exit_code is ExitCode.OK
    assert (report.plans, report.steps) == (seen["plan"], seen["step"])
    acts = seen["order_sent"] + seen["order_planned"] + seen["order_abandoned"]
    assert report.acts == acts
    # The hour is worth replaying: entries, exits of two attempts, orders that missed.
    assert seen["plan"] == 60
    assert seen["fill"] > 5
    assert seen["order_planned"] > 0


def test_one_cycle_can_be_chosen_and_one_that_is_not_there_proves_nothing(
    lived: TrailWorld,
) -> None:
    report = replayed(lived, cycles=[7])
    assert (report.proven, report.cycles, report.plans) == (True, 1, 1)
    report = replayed(lived, cycles=[7, 1000])
    assert report.missing == [1000]
    assert report.exit_code is ExitCode.PROOF_FAILED


def test_a_journal_without_decisions_proves_nothing(fresh: TrailWorld) -> None:
    Journal.open(fresh.journal_path, create=True).close()
    report = replayed(fresh)
    assert not report.proven
    assert report.exit_code is ExitCode.PROOF_FAILED


def test_cycles_of_other_code_are_named_and_compared_all_the_same(lived: TrailWorld) -> None:
    with Journal.open(lived.journal_path, read_only=True) as journal:
        report = replay(journal, CODE)
    assert report.other_code == list(range(1, 61))
    assert report.plans == 60
    assert report.proven


# --- another history, with a whole chain ---------------------------------------------------------


def bump(row: dict[str, Any], *path: str | int, by: int = 1) -> None:
    """Add to the number at a path."""
    inner: Any = row
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] += by


def changed(
    kind: str, change: Callable[[dict[str, Any]], bool]
) -> Callable[[Entry], list[tuple[str, dict[str, Any]]]]:
    """Applies `change` to entries of a kind until it says that it did something."""
    done = [False]

    def apply(entry: Entry) -> list[tuple[str, dict[str, Any]]]:
        row = deepcopy(entry.payload)
        if entry.kind == kind and not done[0]:
            done[0] = change(row)
        return [(entry.kind, row)]

    return apply


def other_price(row: dict[str, Any]) -> bool:
    """A leg with a price of one tick more."""
    if row["legs"]:
        bump(row, "legs", 0, "price_ticks")
    return bool(row["legs"])


def other_quantity(row: dict[str, Any]) -> bool:
    """A leg of one lot more."""
    if row["legs"]:
        bump(row, "legs", 0, "qty_lots")
    return bool(row["legs"])


def no_leg(row: dict[str, Any]) -> bool:
    """A plan whose trail is another one's."""
    row["trail"] = "0" * 64
    return True


def other_reason(row: dict[str, Any]) -> bool:
    """A leg with another reason."""
    if row["legs"]:
        row["legs"][0]["reason"] = "because"
    return bool(row["legs"])


def one_refusal_more(row: dict[str, Any]) -> bool:
    """A refusal that no gate spoke."""
    row["refused"].append(["cross", "BTC/USDT", "buy", "CASH", "limit=1 measured=2 unit=cash"])
    return True


def other_quote(row: dict[str, Any]) -> bool:
    """The ask was higher: seen, so the trail must differ."""
    for quote in row["quotes"].values():
        quote[1] += 5
    return True


def other_latch(row: dict[str, Any]) -> bool:
    """The latch was set."""
    row["latch"] = "no_entries"
    return False  # in every snapshot: some plan has an entry


def other_facts(row: dict[str, Any]) -> bool:
    """Another time of the step: its actions stay, its facts do not decide otherwise."""
    row["facts"]["latch"] = "frozen"
    return bool(row["actions"]) and row["actions"][0]["do"] == "Send"


def other_action(row: dict[str, Any]) -> bool:
    """The order that was sent is another one."""
    if row["actions"] and "client_id" in row["actions"][0]:
        row["actions"][0]["client_id"] = "f" * 32
        return True
    return False


@pytest.mark.parametrize(
    ("kind", "change", "found"),
    [
        ("plan", other_price, ("plan", "legs[0].price_ticks")),
        ("plan", other_quantity, ("plan", "legs[0].qty_lots")),
        ("plan", other_reason, ("plan", "legs[0].reason")),
        ("plan", no_leg, ("plan", "trail")),
        ("plan", one_refusal_more, ("plan", "refused.length")),
        ("snapshot", other_latch, ("plan", "legs.length")),
        ("step", other_facts, ("step", "actions[0].do")),
        ("step", other_action, ("step", "actions[0].client_id")),
    ],
)
def test_one_changed_value_is_found_and_named(
    lived: TrailWorld, tmp_path: Path, kind: str, change: Any, found: tuple[str, str]
) -> None:
    copy_journal(lived.journal_path, tmp_path / "journal.db", changed(kind, change))
    report = replayed(lived, tmp_path / "journal.db")
    assert report.exit_code is ExitCode.PROOF_FAILED
    assert report.undecidable == []
    first = report.differences[0]
    assert (first.kind, first.path) == found
    assert first.stored != first.derived
    assert str(first).startswith(
        f"cycle {first.cycle}, entry {first.seq} ({found[0]}): {found[1]} "
    )


def test_another_quote_gives_another_trail(lived: TrailWorld, tmp_path: Path) -> None:
    def change(row: dict[str, Any]) -> bool:
        return other_quote(row) and False  # in every snapshot: only orders look at quotes

    copy_journal(lived.journal_path, tmp_path / "journal.db", changed("snapshot", change))
    paths = {d.path for d in replayed(lived, tmp_path / "journal.db").differences}
    assert "trail" in paths or "legs[0].price_ticks" in paths


def test_a_bar_that_was_not_seen_makes_the_decision_undecidable(
    lived: TrailWorld, tmp_path: Path
) -> None:
    def change(row: dict[str, Any]) -> bool:
        row["rows"][-1][4] += 1
        return True

    copy_journal(lived.journal_path, tmp_path / "journal.db", changed("bars", change))
    report = replayed(lived, tmp_path / "journal.db")
    assert report.exit_code is ExitCode.PROOF_FAILED
    assert "the decision saw" in report.undecidable[0]


@pytest.mark.parametrize("lost", ["order_planned", "order_sent"])
def test_an_act_that_no_decision_asked_for_is_found(
    lived: TrailWorld, tmp_path: Path, lost: str
) -> None:
    """Steps without actions that are followed by acts all the same."""

    def change(entry: Entry) -> list[tuple[str, dict[str, Any]]]:
        row = deepcopy(entry.payload)
        actions: list[dict[str, Any]] = row["actions"] if entry.kind == "step" else []
        wanted = "PlanAttempt" if lost == "order_planned" else "Send"
        return [] if wanted in [action["do"] for action in actions] else [(entry.kind, row)]

    copy_journal(lived.journal_path, tmp_path / "journal.db", change)
    report = replayed(lived, tmp_path / "journal.db")
    found = {d.kind for d in report.differences if "no decision asked for it" in d.derived}
    assert lost in found


def test_a_plan_without_a_snapshot_is_undecidable(lived: TrailWorld, tmp_path: Path) -> None:
    def change(entry: Entry) -> list[tuple[str, dict[str, Any]]]:
        return [] if entry.kind == "snapshot" else [(entry.kind, entry.payload)]

    copy_journal(lived.journal_path, tmp_path / "journal.db", change)
    report = replayed(lived, tmp_path / "journal.db")
    assert len(report.undecidable) == 60
    assert not report.proven


def test_a_strategy_text_that_was_altered_is_not_run(lived: TrailWorld, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    copy_journal(lived.journal_path, path, lambda entry: [(entry.kind, entry.payload)])
    with sqlite3.connect(path) as connection:
        query = "SELECT sha, body FROM blobs WHERE kind = 'strategy'"
        (one, _), (_, other) = connection.execute(query).fetchall()
        connection.execute("UPDATE blobs SET body = ? WHERE sha = ?", (other, one))
    connection.close()
    report = replayed(lived, path)
    assert "is altered" in report.undecidable[0]
    assert report.plans == 0


def test_an_entry_that_cannot_follow_ends_the_replay(lived: TrailWorld, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    copy_journal(lived.journal_path, path, lambda entry: [(entry.kind, entry.payload)])
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER entries_keep_delete")
        connection.execute("DELETE FROM entries WHERE kind = 'instrument'")
    connection.close()
    with pytest.raises(JournalError, match="does not follow from those before"):
        replayed(lived, path)


# --- what may happen to an account ---------------------------------------------------------------


def test_a_second_run_in_the_same_minute_is_replayed_too(fresh: TrailWorld) -> None:
    fresh.run(25, again=True)
    report = replayed(fresh)
    assert report.proven, report
    assert report.plans == 25


def test_a_policy_that_changes_between_cycles_is_replayed_under_its_own_values(
    fresh: TrailWorld,
) -> None:
    fresh.run(12)
    fresh.reload(TRADER__POLICY__LIMITS__POSITIONS_MAX="1")
    fresh.run(12)
    source = fresh.folder / "config" / "strategies" / "ma_cross.py"
    source.write_text(source.read_text() + "\n# a new version\n")
    fresh.reload(TRADER__POLICY__LIMITS__SLIPPAGE="1bps")
    fresh.run(12)
    assert kinds(fresh.journal_path)["policy"] == 3
    report = replayed(fresh)
    assert report.proven, report
    assert report.plans == 36


def test_a_bar_that_the_venue_repainted_later_does_not_change_the_past(fresh: TrailWorld) -> None:
    fresh.run(3)
    before = kinds(fresh.journal_path)["bars"]
    fresh.market.repainted_ms = START_MS + MINUTE_MS
    fresh.run(3)
    assert kinds(fresh.journal_path)["bars"] > before
    with Journal.open(fresh.journal_path, read_only=True) as journal:
        known = journal.known_bars("BTC/USDT", "1m", START_MS + MINUTE_MS, START_MS + 2 * MINUTE_MS)
        assert [bar.volume for bar in known.values()] == ["99"]
    report = replayed(fresh)
    assert report.proven, report


def test_a_crash_between_commit_and_send_leaves_a_journal_that_replays(
    fresh: TrailWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = fresh.venue.submit
    died: list[str] = []

    class Died(BaseException):
        pass

    def die_first(order: Any) -> Any:
        if len(died) < 2:
            died.append(order.client_order_id)
            raise Died
        return submit(order)

    monkeypatch.setattr(fresh.venue, "submit", die_first)
    while len(died) < 2:
        try:
            fresh.run(1)
        except Died:
            fresh.next_minute()
    fresh.run(10)
    report = replayed(fresh)
    assert report.proven, report
    assert died[0] != died[1]


def test_after_a_segment_was_sealed_the_rest_replays_and_the_sealed_part_is_named(
    fresh: TrailWorld,
) -> None:
    fresh.run(20)
    close_segment(fresh.journal_path, fresh.clock.now_ms())
    fresh.run(20)
    report = replayed(fresh)
    assert report.proven, report
    assert report.plans == 20
    assert "archived" in report.archived[0]
    report = replayed(fresh, cycles=[5])
    assert report.missing == [5]
    assert not report.proven
    sealed = next(fresh.folder.glob("journal.segment-*.db"))
    report = replayed(fresh, sealed)
    assert (report.proven, report.plans) == (True, 20)


# --- for other functions on the same input -------------------------------------------------------


def test_replay_iter_gives_each_decision_with_the_state_before_it(lived: TrailWorld) -> None:
    with Journal.open(lived.journal_path, read_only=True) as journal:
        bars: list[int] = []
        for decision in replay_iter(journal):
            assert decision.state is decision.snapshot.state
            assert decision.state.number("last_bar_ms") < decision.snapshot.bar_ms
            assert plan_payload(plan(decision.snapshot)) == decision.stored
            bars.append(decision.snapshot.bar_ms)
        assert len(bars) == 60
        assert bars == sorted(set(bars))
        assert [d.cycle.number for d in replay_iter(journal, [3, 9])] == [3, 9]


def test_replay_iter_refuses_to_go_past_what_cannot_be_rebuilt(
    lived: TrailWorld, tmp_path: Path
) -> None:
    def change(entry: Entry) -> list[tuple[str, dict[str, Any]]]:
        return [] if entry.kind == "snapshot" else [(entry.kind, entry.payload)]

    copy_journal(lived.journal_path, tmp_path / "journal.db", change)
    with (
        Journal.open(tmp_path / "journal.db", read_only=True) as journal,
        pytest.raises(ProofFailed, match="no snapshot"),
    ):
        list(replay_iter(journal))
