"""The sweep: many back-tests over the same bars that differ in numbers of their strategies.

Lives here: one trial, and running all that are left on some workers. Each trial is a whole
`run_backtest` with the live decision code; only a row is kept of it. Must not live here: which
trials there are (`sweeping_trials`), files (`sweeping_store`), processes (`sweeping_workers`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from trader.app.backtest import run_backtest
from trader.app.backtest_inputs import BacktestInputs
from trader.app.sweeping_rows import FAILED, REFUSED, TrialRow, done_row, no_row, row_of
from trader.app.sweeping_trials import Trials
from trader.app.sweeping_workers import Lost, Workers, usable_cores
from trader.core.parameters import Parameters
from trader.core.rules import RuleError, bound_of
from trader.domain.timeframe import timeframe_name
from trader.errors import DataError, TraderError

# Trials of a batch share what their rules have in common; more would hold more columns at a time.
BATCH_MAX = 25
# So that workers end together, each gets about so many batches.
BATCHES_EACH = 2

Told = Callable[[TrialRow], None]


def run_sweep(inputs: BacktestInputs, trials: Trials, workers: int = 0) -> list[TrialRow]:
    """Every trial's row, in order of the trials; `workers` 0: one for each usable core."""
    rows = list(sweep_rows(inputs, trials, range(len(trials)), workers))
    return sorted(rows, key=lambda row: row.trial)


def sweep_rows(
    inputs: BacktestInputs,
    trials: Trials,
    wanted: Sequence[int],
    workers: int = 0,
    died: list[str] | None = None,
    apart: Sequence[int] = (),
) -> Iterator[TrialRow]:
    """The rows of the wanted trials as they are done. Closing the iterator ends the workers.

    `died`, `apart`: see `Workers`.
    """
    check_range(inputs)

    def work(batch: Sequence[int]) -> Iterator[bytes]:
        for row in trial_rows(inputs, trials, batch):
            yield row.line().encode()

    count = workers or usable_cores()
    answers = Workers(work, batches(wanted, count), count, died, apart).answers()
    try:
        for trial, answer in answers:
            if isinstance(answer, Lost):
                yield no_row(trial, trials.values(trial), FAILED, answer.how)
            else:
                yield row_of(answer)
    finally:
        answers.close()


def check_range(inputs: BacktestInputs) -> None:
    """That there is something to decide; raises DataError, as the first trial would."""
    step_name = timeframe_name(inputs.parameters.step_ms)
    for (_, timeframe), series in inputs.series.items():
        first, stop = series.index_of(inputs.start_ms), series.index_of(inputs.end_ms)
        if timeframe == step_name and first < stop:
            return
    raise DataError("no bar lies in the asked time range", "see --timerange")


def batches(wanted: Sequence[int], workers: int) -> list[Sequence[int]]:
    """The trials in runs of neighbours, which share most: enough of them for every worker."""
    if not wanted:
        return []
    size = max(1, min(BATCH_MAX, -(-len(wanted) // (workers * BATCHES_EACH))))
    return [wanted[at : at + size] for at in range(0, len(wanted), size)]


def trial_rows(inputs: BacktestInputs, trials: Trials, batch: Iterable[int]) -> Iterator[TrialRow]:
    """The rows of some trials, in this process, one after the other."""
    for trial in batch:
        parameters = trials.parameters(inputs.parameters, trial)
        yield one_trial(replace(inputs, parameters=parameters), trial, trials.values(trial))


def one_trial(inputs: BacktestInputs, trial: int, values: tuple[str, ...]) -> TrialRow:
    """One run and what is kept of it."""
    why = _refused(inputs.parameters)
    if why:
        return no_row(trial, values, REFUSED, why)
    try:
        result = run_backtest(inputs)
    except TraderError as error:
        return no_row(trial, values, FAILED, str(error))
    off = [
        f"{book.strategy}: {book.off_why}" for book in result.state.books.values() if book.off_why
    ]
    if off:
        return no_row(trial, values, FAILED, "; ".join(sorted(off)))
    return done_row(trial, values, result)


def _refused(parameters: Parameters) -> str:
    """Why the rules of some strategy do not take their numbers together; "" when they do."""
    for spec in parameters.strategies:
        if not spec.program:
            continue
        try:
            bound_of(spec.program, spec.numbers, spec.timeframe, spec.timeframe_ms)
        except RuleError as error:
            return f"{spec.name}: {error}"
    return ""
