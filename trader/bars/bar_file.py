"""What reading a bar file gives: its bars, and what was found on the way.

Lives here: the values, and the version of the reader that made them; whoever finds bars in the
cache needs no more. Must not live here: reading (`load`).
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from trader.core.series import Series
from trader.records import dataclass

# Raised whenever the same bytes may be read as other bars: what was kept of a file is then void.
READER_VERSION = 2


@dataclass(frozen=True, slots=True)
class BarFileReport:
    """What was found while reading; none of it stops a run.

    Attributes:
        rows, first_ms, last_ms: bars, open time of the first and the last.
        gaps, missing: places where bars are absent, and how many bars are absent there.
        zero_volume: bars without volume.
        snapped: price cells that were a float's shadow of a shorter decimal (or of the tick).
        ignored: columns that are not known to be harmless.
        format: "text", "json", "parquet" or "feather"; compression: "", "gzip", "zip" ...;
            encoding, delimiter, time_unit: how it was read (unit "iso": dates).
        layout: what told the columns: "header", "columns", or whose layout without header it is.
        newest_first: whether rows were turned round. ended: False when the last line has no line
            break: it may have been cut inside a number.
        files: how many files or members were joined; repeated: bars that several told alike.
        left_out: files of a folder that hold no bars of this instrument and timeframe.
    """

    rows: int
    first_ms: int
    last_ms: int
    gaps: int
    missing: int
    zero_volume: int
    snapped: int
    ignored: tuple[str, ...]
    format: str
    compression: str
    encoding: str
    delimiter: str
    time_unit: str
    layout: str
    newest_first: bool
    ended: bool
    files: int = 1
    repeated: int = 0
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BarFile:
    """A file's bars and the report about it."""

    path: Path
    series: Series
    report: BarFileReport

    @property
    def symbol(self) -> str:
        """`BASE/QUOTE`, as told by the caller or the file's name."""
        return self.series.symbol

    @property
    def tick(self) -> Decimal:
        """What one tick is worth: as given, else 10**-(most decimals seen)."""
        return self.series.tick

    @property
    def step_ms(self) -> int:
        """Length of a bar."""
        return self.series.step_ms
