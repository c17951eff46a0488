"""Parquet and feather files of bars -> lines of bytes, by the optional library `pyarrow`.

Lives here: the only use of it. Numbers become their shortest text that reads back as the same
number, so that a price goes the way of every other text. Must not live here: which column is which.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from importlib import import_module
from io import BufferedReader
from typing import TYPE_CHECKING, Any

from trader.bars.header import plain_name
from trader.errors import DataError

if TYPE_CHECKING:
    from trader.bars.source import Part

_ROWS = 1 << 13


def arrow_blocks(part: Part, raw: BufferedReader) -> Generator[bytes, None, None]:
    """Rows as lines of cells joined by commas; `part.names` is set before the first."""
    try:
        # By name: the library is optional, and has no types of its own.
        pa: Any = import_module("pyarrow")
        compute: Any = import_module("pyarrow.compute")
        text: Any = import_module("pyarrow.csv")
    except ImportError:
        raise DataError(
            f"bar file {part.where} is a {part.form} file, and the reader for it is not installed",
            "pip install 'trader[parquet]', or export it as CSV",
        ) from None
    raw.seek(0)
    options: Any = text.WriteOptions(include_header=False, quoting_style="none")
    try:
        names, batches = _batches(part.form, raw)
        part.names = tuple(plain_name(name) for name in names)
        for batch in batches:
            columns = [_as_text(pa, compute, column) for column in batch.columns]
            table: Any = pa.table(columns, names=[str(at) for at in range(len(columns))])
            sink: Any = pa.BufferOutputStream()
            text.write_csv(table, sink, options)
            yield sink.getvalue().to_pybytes()
    except (pa.ArrowException, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"bar file {part.where} is cut off or damaged: {first}", "fetch or copy it again"
        ) from None


def _batches(form: str, raw: BufferedReader) -> tuple[list[str], Iterator[Any]]:
    """(names of the columns, tables of some thousand rows)."""
    if form == "parquet":
        file: Any = import_module("pyarrow.parquet").ParquetFile(raw)
        return list(file.schema_arrow.names), file.iter_batches(batch_size=_ROWS)
    reader: Any = import_module("pyarrow.ipc").open_file(raw)
    batches = (reader.get_batch(at) for at in range(reader.num_record_batches))
    return list(reader.schema.names), (
        batch.slice(at, _ROWS) for batch in batches for at in range(0, batch.num_rows, _ROWS)
    )


def _as_text(pa: Any, compute: Any, column: Any) -> Any:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_date(kind):
        # Whole days as their ISO text: 20,000 days would read as seconds.
        return compute.cast(column, pa.string())
    if pa.types.is_timestamp(kind):
        # Instants, whatever zone they are shown in; without a zone they are UTC.
        return compute.cast(compute.cast(column, pa.timestamp("ms"), safe=True), pa.int64())
    if pa.types.is_floating(kind) and kind != pa.float64():
        # The shortest text of a narrow float is a different number as float64.
        return compute.cast(column, pa.string())
    return column
