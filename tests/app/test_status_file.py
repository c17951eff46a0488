"""status.json: what another program can read after each cycle."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from trader import wiring
from trader.app.status_file import write_status
from trader.errors import ExitCode, JournalError

from .world import MINUTE_MS, START_MS, World


def status(world: World) -> dict[str, Any]:
    return json.loads(world.setup().places.status.read_text())


def test_a_cycle_leaves_its_status(world: World) -> None:
    world.cycle(8)
    told = status(world)
    assert (told["cycle"], told["exit_code"], told["halt_level"]) == (1, 0, "running")
    assert told["bar_ms"] == START_MS + 8 * MINUTE_MS
    assert told["next_due_ms"] == START_MS + 10 * MINUTE_MS
    (position,) = told["positions"]
    assert (position["symbol"], position["strategy"]) == ("BTC/USDT", "flipper")
    assert Decimal(position["qty"]) == world.held()
    assert (position["stop"], told["capital"]) == ("50", "10000")
    assert told["orders"] == []
    with world.journal() as journal:
        assert told["head"] == {"seq": journal.head.seq, "hash": journal.head.hash}
    assert not world.setup().places.status.with_name("status.json.new").exists()


def test_an_order_without_an_outcome_is_shown_as_risk(world: World) -> None:
    fault = {"method": "POST", "path": "/api/v3/order", "action": "drop_before"}
    world.admin.faults([fault])
    world.latch = "running"
    assert world.cycle(8).code is ExitCode.UNKNOWN_OUTCOME
    (order,) = status(world)["orders"]
    assert (order["state"], order["side"], order["adds_risk"]) == ("unknown", "buy", True)
    assert (order["price"], order["filled"]) == ("100.1", "0")
    assert status(world)["exit_code"] == 6


def test_notes_and_latch_are_told(world: World) -> None:
    world.cycle(8)
    world.admin.deposit("USDT", "-1")
    world.latch = "reduce_only"
    world.cycle(9)
    told = status(world)
    assert told["latch"] == "reduce_only"
    assert told["notes"][0].startswith("CASH_SHORT")


def test_a_file_that_cannot_be_written_is_named(world: World) -> None:
    world.cycle(8)
    setup = world.setup()
    place = setup.places.status
    place.unlink()
    place.mkdir()
    with (
        wiring.open_journal(setup, read_only=True) as journal,
        pytest.raises(JournalError, match=r"cannot write .*status\.json"),
    ):
        write_status(setup.run, journal, 1, 0, ExitCode.OK, [])
