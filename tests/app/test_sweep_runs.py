"""One trial: the row of a whole run, though the curve of it is never held as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from trader.app import backtest_fast
from trader.app.backtest import run_backtest
from trader.app.backtest_inputs import BacktestInputs
from trader.app.sweeping import BATCH_MAX, batches, trial_rows
from trader.app.sweeping_rows import done_row
from trader.core.mean_sides import TickSpans
from trader.core.parameters import Parameters
from trader.records import replace

from .sweep_world import BARS, inputs_of, trials


def parameters_of(inputs: BacktestInputs) -> list[Parameters]:
    """Of some trials."""
    return [trials().parameters(inputs.parameters, trial) for trial in (0, 4, 9)]


@pytest.mark.parametrize("room", [1, 2, 4, 16, 32, 64])
def test_a_run_that_keeps_no_curve_has_the_numbers_of_one_that_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    inputs = inputs_of(tmp_path)
    whole = [run_backtest(replace(inputs, parameters=made)) for made in parameters_of(inputs)]
    monkeypatch.setattr(backtest_fast, "BARS_AT_ONCE", room)
    for made, wanted in zip(parameters_of(inputs), whole, strict=True):
        found = run_backtest(replace(inputs, parameters=made), keeps_curve=False)
        held = BARS - (BARS - 1) // room * room
        assert found.curve_units == wanted.curve_units[-held:]
        assert list(found.curve_ms) == list(wanted.curve_ms)
        assert found.statistics == wanted.statistics
        assert found.fills.rows == wanted.fills.rows
        assert done_row(0, (), found) == done_row(0, (), wanted)


def test_what_is_known_of_prices_from_batch_to_batch_changes_no_row(tmp_path: Path) -> None:
    inputs, ticks = inputs_of(tmp_path), TickSpans()
    apart = [row for trial in range(10) for row in trial_rows(inputs, trials(), [trial])]
    kept = [row for at in (0, 5) for row in trial_rows(inputs, trials(), range(at, at + 5), ticks)]
    assert kept == apart


@pytest.mark.parametrize(("count", "workers"), [(1, 1), (3, 2), (100, 2), (1_000, 7)])
def test_batches_get_shorter_so_that_workers_end_together(count: int, workers: int) -> None:
    sizes = [len(batch) for batch in batches(range(count), workers)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == min(BATCH_MAX, -(-count // (2 * workers)))
    assert sizes[-1] <= 2
