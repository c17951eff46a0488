"""The sweep: many back-tests over the same bars that differ in numbers of their strategies.

Lives here: one trial, and running all that are left on some workers. Each trial is a whole
`run_backtest` with the live decision code; only a row is kept of it. Must not live here: which
trials there are (`sweeping_trials`), files (`sweeping_store`), processes (`sweeping_workers`).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterator, Sequence

from trader.app.backtest import run_backtest
from trader.app.backtest_inputs import BacktestInputs
from trader.app.strategy_process import StrategyLost
from trader.app.sweeping_rows import FAILED, REFUSED, TrialRow, done_row, no_row, row_of
from trader.app.sweeping_trials import Trials
from trader.app.sweeping_workers import Lost, Workers, usable_cores
from trader.core.columns import build_many
from trader.core.fast import Columns, pairs_of
from trader.core.mean_sides import TickSpans
from trader.core.parameters import Parameters
from trader.core.rules import RuleError, bound_of
from trader.domain.timeframe import timeframe_name
from trader.errors import DataError, TraderError
from trader.records import replace

# Trials of a batch share what their rules have in common. Its columns are held together, so a
# batch is smaller where there are more bars.
BATCH_MAX, BATCH_BARS = 25, 10_000_000
# A batch is this part of a worker's share of what is left, so that workers end together.
SHARE, BATCH_LEAST = 2, 2

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
) -> Generator[TrialRow]:
    """The rows of the wanted trials as they are done. Closing the iterator ends the workers.

    `died`, `apart`: see `Workers`.
    """
    check_range(inputs)
    ticks = TickSpans()  # each worker's own from its fork on

    def work(batch: Sequence[int]) -> Iterator[bytes]:
        for row in trial_rows(inputs, trials, batch, ticks):
            yield row.line().encode()

    count = workers or usable_cores()
    most = max(1, BATCH_BARS // max(1, sum(map(len, inputs.series.values()))))
    answers = Workers(work, batches(wanted, count, most), count, died, apart).answers()
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


def batches(wanted: Sequence[int], workers: int, most: int = BATCH_MAX) -> list[Sequence[int]]:
    """The trials in runs of neighbours, which share most: enough of them for every worker, the
    later ones the shorter, because trials differ in how long they take."""
    found: list[Sequence[int]] = []
    at, count = 0, len(wanted)
    while at < count:
        share = -(-(count - at) // (workers * SHARE))
        least = BATCH_LEAST if count >= workers * BATCH_LEAST else 1
        size = max(1, min(BATCH_MAX, most, max(share, least)))
        found.append(wanted[at : at + size])
        at += size
    return found


def trial_rows(
    inputs: BacktestInputs, trials: Trials, batch: Sequence[int], ticks: TickSpans | None = None
) -> Iterator[TrialRow]:
    """The rows of some trials, in this process: their columns in one go, then one run each.

    `ticks`: what is known of prices from batch to batch.
    """
    jobs = {
        trial: replace(inputs, parameters=trials.parameters(inputs.parameters, trial))
        for trial in batch
    }
    refused = {trial: why for trial, job in jobs.items() if (why := _refused(job.parameters))}
    sound = [trial for trial in batch if trial not in refused]
    told = shared_columns([jobs[trial] for trial in sound], ticks)
    columns = dict(zip(sound, told, strict=True))
    del told  # what a trial has used up is let go at once
    for trial in batch:
        values = trials.values(trial)
        if trial in refused:
            yield no_row(trial, values, REFUSED, refused[trial])
        else:
            yield one_trial(jobs.pop(trial), trial, values, columns.pop(trial))
            # The parts of a run know each other, so that only the collector lets go of them, and
            # that counts objects, not bytes: without this a worker grows with every trial.
            gc.collect()


def shared_columns(
    jobs: Sequence[BacktestInputs], ticks: TickSpans | None = None
) -> Sequence[Columns | None]:
    """What each trial's strategies say, sub-expressions that they share computed once; None where
    that cannot be told ahead: a strategy whose process is lost is a matter of its own run."""
    if not jobs:
        return []
    first = jobs[0]
    pairs = pairs_of(first.parameters, first.series)
    asked = [(job.parameters, job.strategies) for job in jobs]
    try:
        want = (first.start_ms, first.end_ms)
        return build_many(asked, first.series, pairs, want=want, ticks=ticks)
    except StrategyLost:
        return [None] * len(jobs)


def one_trial(
    inputs: BacktestInputs, trial: int, values: tuple[str, ...], columns: Columns | None = None
) -> TrialRow:
    """One run and what is kept of it."""
    try:
        result = run_backtest(inputs, columns=columns, keeps_curve=False)
    except TraderError as error:
        return no_row(trial, values, FAILED, str(error))
    except StrategyLost as lost:
        return no_row(trial, values, FAILED, f"{lost.name}: {lost.trouble}")
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
