"""A venue's history, page by page, into the kept bars.

Lives here: which stretches are still to be asked for, what of an answer is kept, and when asking
ends. Each page is on disk before the next is asked for, so that a fetch which was interrupted, or
killed, goes on where it was. Only closed bars are kept; where the venue has no bar there is none.
Must not live here: requests, retries and limits (the venue's), files (`bars.store`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from trader.app.ports import HistoryVenue, RawBar
from trader.bars.names import STEPS_MS
from trader.bars.quality import CleanRow, judge_rows
from trader.bars.stamps import utc_text
from trader.bars.store import BarStore, Page, Span, Writer, missing_spans
from trader.bars.ticks import BarTextError, shortened, split_number
from trader.domain.timeframe import bar_open_ms
from trader.errors import (
    SEVERITY,
    DataError,
    LockHeld,
    TraderError,
    UsageError,
    VenueRefused,
)
from trader.records import dataclass, field

# An answer with a bar that cannot be, or without any, is asked for so many times in all.
ASKED_MAX = 3
DIGITS_MAX = 18

# Called with (ms of history done, ms in all, open time of the newest bar).
FetchProgress = Callable[[int, int, int], None]


class FetchRequest(NamedTuple):
    """What to fetch: bars that open in [since_ms, until_ms); None: go on after what is kept, up to
    now. `replace`: a bar that differs from a kept one takes its place."""

    symbol: str
    timeframe: str
    since_ms: int | None = None
    until_ms: int | None = None
    replace: bool = False


@dataclass(slots=True)
class Fetched:
    """What a fetch did.

    Attributes:
        pages: answers that were kept. added, equal, replaced: bars.
        left_out: sentences, one for each bar that cannot be. notes: stretches without bars.
        bars, first_ms, last_ms: what is kept now (times -1 for none).
        error: why the fetch of this pair ended before its end, None when it did not.
    """

    symbol: str
    timeframe: str
    pages: int = 0
    added: int = 0
    equal: int = 0
    replaced: int = 0
    bars: int = 0
    first_ms: int = -1
    last_ms: int = -1
    left_out: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    error: TraderError | None = None


def fetch_each(
    requests: Sequence[FetchRequest], fetch: Callable[[FetchRequest], Fetched]
) -> list[Fetched]:
    """Fetch one after another. What ends one of several (an instrument that is refused, a bar that
    differs, another writer) does not end the others; a venue that is down ends them all."""
    done: list[Fetched] = []
    for request in requests:
        try:
            done.append(fetch(request))
        except (VenueRefused, DataError, LockHeld) as error:
            if len(requests) == 1:
                raise
            done.append(Fetched(request.symbol, request.timeframe, error=error))
    return done


def fetch_history(
    venue: HistoryVenue,
    store: BarStore,
    request: FetchRequest,
    settle_ms: int,
    progress: FetchProgress | None = None,
) -> Fetched:
    """Ask for what is not kept yet, and keep it.

    `settle_ms`: how long after its close a bar may still change. Raises VenueUnavailable,
    VenueRefused, DataError for a bar that differs from a kept one, LockHeld, UsageError, OSError;
    what was committed before stays, and the same command goes on from there.
    """
    done = Fetched(request.symbol, request.timeframe)
    step_ms = STEPS_MS.get(request.timeframe, 0)
    with store.writing(request.symbol, request.timeframe) as writer:
        done.notes.extend(writer.notes)
        closed_ms = bar_open_ms(venue.fetch_venue_ms() - settle_ms, step_ms)
        since_ms = _since(request, writer)
        start_ms = bar_open_ms(since_ms + step_ms - 1, step_ms)
        end_ms = closed_ms if request.until_ms is None else min(request.until_ms, closed_ms)
        end_ms = bar_open_ms(end_ms + step_ms - 1, step_ms) if end_ms > start_ms else start_ms
        covered = writer.kept.covered if writer.kept is not None else ()
        spans = missing_spans(covered, start_ms, end_ms)
        course = _Course(venue, writer, request, step_ms, done, progress)
        course.total_ms = sum(end - start for start, end in spans)
        for span in spans:
            course.fetch(span)
        writer.fold()
        if writer.kept is not None and len(writer.kept.series):
            opens = writer.kept.series.open_ms
            done.bars, done.first_ms, done.last_ms = len(opens), opens[0], opens[-1]
    return done


def _since(request: FetchRequest, writer: Writer) -> int:
    if request.since_ms is not None:
        return request.since_ms
    kept = writer.kept
    if kept is None or not len(kept.series):
        raise UsageError(
            f"nothing is kept of {request.symbol} {request.timeframe} to go on from",
            "say where to begin: --since 2024-01-01",
        )
    last = kept.series.open_ms[-1] + kept.series.step_ms
    return max([last, *(end for _, end in kept.covered)])


class _Course:
    """One fetch under way."""

    def __init__(
        self,
        venue: HistoryVenue,
        writer: Writer,
        request: FetchRequest,
        step_ms: int,
        done: Fetched,
        progress: FetchProgress | None,
    ) -> None:
        self._venue = venue
        self._writer = writer
        self._request = request
        self._step_ms = step_ms
        self._done = done
        self._progress = progress
        self._passed_ms = 0
        self.total_ms = 0

    def fetch(self, span: Span) -> None:
        """Everything that opens in [start, end)."""
        at_ms, end_ms = span
        while at_ms < end_ms:
            answer = self._ask(at_ms, end_ms)
            if answer is None:
                self._done.notes.append(
                    f"{self._request.symbol} {self._request.timeframe}: {self._venue.name} tells "
                    f"no bars from {utc_text(at_ms)} to {utc_text(end_ms)}"
                )
                self._advance(end_ms - at_ms, at_ms)
                return
            self._keep(answer, at_ms)
            self._advance(answer.until_ms - at_ms, answer.until_ms - self._step_ms)
            at_ms = answer.until_ms

    def _advance(self, ms: int, newest_ms: int) -> None:
        self._passed_ms += ms
        if self._progress is not None:
            self._progress(self._passed_ms, self.total_ms, newest_ms)

    def _ask(self, at_ms: int, end_ms: int) -> _Answer | None:
        """The next bars at or after a time; None when the venue tells none that opens by then."""
        found: _Answer | None = None
        for _ in range(ASKED_MAX):
            limit = min(self._venue.bars_page, (end_ms - at_ms) // self._step_ms)
            raw = self._venue.fetch_bars(
                self._request.symbol, self._request.timeframe, at_ms, limit
            )
            assert all(bar.open_ms >= at_ms for bar in raw), "a page of earlier bars has no end"
            if raw:
                found = _judged(raw, at_ms, end_ms, self._step_ms)
            if found is not None and not found.wrong:
                break
        return found

    def _keep(self, answer: _Answer, at_ms: int) -> None:
        """Commit the answer; stretches of bars that cannot be stay uncovered."""
        bad = [(open_ms, open_ms + self._step_ms) for open_ms, _ in answer.wrong]
        self._done.left_out.extend(text for _, text in answer.wrong)
        for start, end in missing_spans(bad, at_ms, answer.until_ms):
            rows = tuple(
                (*row[:5], float(row.volume)) for row in answer.rows if start <= row.open_ms < end
            )
            page = Page(rows, answer.tick, (start, end), self._venue.name)
            joined = self._writer.append(page, replace=self._request.replace)
            self._done.pages += 1
            self._done.added += joined.added
            self._done.equal += joined.equal
            self._done.replaced += joined.replaced


class _Answer(NamedTuple):
    """Sound rows of one answer, the tick that holds their prices, how far the answer reaches, and
    (open_ms, sentence) of what cannot be."""

    rows: list[CleanRow]
    tick: Decimal
    until_ms: int
    wrong: list[tuple[int, str]]


def _judged(raw: Sequence[RawBar], at_ms: int, end_ms: int, step_ms: int) -> _Answer:
    """What of an answer lies in [at, end)."""
    reach_ms = max(bar.open_ms for bar in raw)
    within = [bar for bar in raw if bar.open_ms < end_ms]
    tick = _tick_of(within)
    rows, problems = judge_rows(within, step_ms, tick)
    wrong = {p.open_ms: p.text for p in problems if not p.is_note}
    # A bar beyond the stretch shows that nothing more is in it.
    until_ms = end_ms if reach_ms >= end_ms else bar_open_ms(reach_ms, step_ms) + step_ms
    grid = {bar_open_ms(open_ms, step_ms): text for open_ms, text in wrong.items()}
    return _Answer(
        rows, tick, until_ms, sorted((at, text) for at, text in grid.items() if at >= at_ms)
    )


def _tick_of(bars: Sequence[RawBar]) -> Decimal:
    """10**-(most decimals of any price): the venue's tick may have been another at that time."""
    digits = 0
    for bar in bars:
        for text in (bar.open, bar.high, bar.low, bar.close):
            try:
                digits = max(digits, shortened(*split_number(text))[1])
            except BarTextError:
                continue  # judged with its row
    return Decimal(1).scaleb(-min(digits, DIGITS_MAX))


def worst_of(fetched: Sequence[Fetched]) -> TraderError | None:
    """What a run ends with: the gravest error of its pairs, or of what they lack."""
    errors = [error for done in fetched if (error := _lack_of(done)) is not None]
    return min(errors, key=_gravity, default=None)


def _gravity(error: TraderError) -> int:
    """The smaller, the graver; that another process holds the lock is the least."""
    return SEVERITY.index(error.code) if error.code in SEVERITY else len(SEVERITY)


def _lack_of(done: Fetched) -> TraderError | None:
    what = f"{done.symbol} {done.timeframe}"
    if done.error is not None:
        return done.error
    if not done.bars:
        said = done.notes[-1] if done.notes else "ask for another stretch"
        return DataError(f"there are no bars of {what}", said)
    if done.left_out:
        more = f" (and {len(done.left_out) - 1} more)" if len(done.left_out) > 1 else ""
        return DataError(
            f"{what}: {done.left_out[0]}: left out{more}", "they are asked for again the next time"
        )
    return None
