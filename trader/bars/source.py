"""The outside of what bars are read from: folders, archives, compression, encodings.

Lives here: turning a file into parts (one table of bars each) whose rows come as blocks of bytes:
whole lines, each with its line feed, in UTF-8. What is no bar file, is damaged, or was written to
while it was read, is refused. Must not live here: which column is which, and the meaning of cells.
"""

from __future__ import annotations

import gzip
import importlib
import re
import zlib
from codecs import getincrementaldecoder
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast

from trader.bars.names import words_in
from trader.bars.stamps import StampColumn
from trader.errors import DataError
from trader.records import dataclass, field

BLOCK_BYTES = 1 << 18
LINE_BYTES_MAX = 1 << 20
# What a small file may blow up to: text of bars shrinks to a twentieth at best.
INFLATED_FREE = 64 << 20
INFLATED_TIMES_MAX = 400
MEMBERS_MAX = 20_000
COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}
_ARROW = {b"PAR1": "parquet", b"ARROW1": "feather"}
_STRANGE = {
    b"SQLite format 3": "a SQLite database: export the bars as CSV",
    b"\x89HDF": "an HDF5 file: export the bars as CSV or feather",
    b"\x93NUMPY": "a NumPy array: export the bars as CSV or Parquet",
    b"\x80\x04": "a Python pickle, which is a program: export the bars as CSV or Parquet",
    b"\x80\x05": "a Python pickle, which is a program: export the bars as CSV or Parquet",
    b"%PDF": "a PDF: export the bars as CSV",
    b"FEA1": "a feather file of version 1: write it again as version 2",
    b"ustar": "a tar archive: unpack it first",
    b"7z\xbc\xaf": "a 7z archive: unpack it first",
    b"Rar!": "a rar archive: unpack it first",
}
_UTF16 = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_MARK = b"\xef\xbb\xbf"
# LEAN: a zip for each day, whose member's name says the day; cells count ms since its midnight.
_LEAN_DAY = re.compile(r"(?:.*/)?(\d{4})(\d\d)(\d\d)_[a-z0-9]+_(?:second|minute)_trade\.csv")
_READABLE = re.compile(
    r".*\.(csv|txt|tsv|json|jsonl|ndjson|parquet|feather|zip)(\.(gz|zst|bz2|xz))?|.*\.(gz|zst)",
    re.IGNORECASE,
)
# Words of files that lie beside bars of the spot market and are none.
_NO_BARS = frozenset(
    (
        "quote", "quotes", "openinterest", "trades", "aggtrades", "funding", "mark", "index",
        "orderbook", "ticker", "readme", "license", "checksum", "premiumindex", "metrics",
        "futures", "future", "perp", "perpetual", "swap", "quarterly",
    )
)  # fmt: skip


@dataclass(slots=True)
class Part:
    """One table of bars: a file, or a member of an archive.

    Attributes:
        path, member: the file, and the name within it ("" when it is the file itself).
        form: "text", "json", "parquet" or "feather". compression: "", "gzip", "zip" ...
        blocks: the rows, in blocks of whole lines. encoding: of the text.
        names: the columns' names where the format has them; None: line 1 tells, or nothing does.
        day_ms: midnight that the cells of the time column count from; None: they are epochs.
        ended: False once the last line turned out to have no line break.
        position: how many bytes of the file were read so far.
    """

    path: Path
    member: str
    form: str
    compression: str
    blocks: Iterator[bytes] = field(default_factory=lambda: iter(()))
    encoding: str = "utf-8"
    names: tuple[str, ...] | None = None
    day_ms: int | None = None
    ended: bool = True
    position: Callable[[], int] = field(default=lambda: 0)

    @property
    def where(self) -> str:
        """What a refusal names."""
        return f"{self.path} ({self.member})" if self.member else str(self.path)

    def place(self, number: int) -> str:
        """A line of it, counted from 1; a row where the format has no lines."""
        joint = ":" if self.form == "text" else ": row "
        return f"{self.where}{joint}{number}"


def files_in(folder: Path) -> tuple[list[Path], list[str]]:
    """(files that may hold bars, names of the others), at any depth, in the order of names."""
    found: list[Path] = []
    others: list[str] = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_dir() or any(part.startswith(".") for part in parts):
            continue
        words = {word.lower() for word in words_in(path.name)}
        if _READABLE.fullmatch(path.name) and not words & _NO_BARS:
            found.append(path)
        else:
            others.append("/".join(parts))
    return found, others


@contextmanager
def unchanged(path: Path) -> Generator[None]:
    """DataError when the file was written to or replaced meanwhile, whatever else went wrong."""
    before = _state(path)
    failed: DataError | None = None
    try:
        yield
    except DataError as error:
        failed = error
    if before is not None and _state(path) != before:
        raise DataError(
            f"bar file {path} was written to while it was read",
            "wait until its writer has finished, or read a copy",
        ) from failed
    if failed is not None:
        raise failed


def parts_of(path: Path) -> Generator[Part, None, None]:
    """The tables of one file; each must be read before the next is asked for.

    Raises DataError.
    """
    with _refusing(str(path)), path.open("rb") as raw:
        start = raw.read(16)
        raw.seek(0)
        compression = _told_by(start, COMPRESSED)
        if compression == "zip":
            yield from _members(path, raw)
            return
        part = Part(path, "", "text", compression, position=raw.tell)
        limit = _Limit(part.where, path.stat().st_size)
        stream = _inflated(part, raw)
        _fill(part, stream, limit, raw if not compression else None)
        yield part


def _members(path: Path, raw: BufferedReader) -> Generator[Part, None, None]:
    limit = _Limit(str(path), path.stat().st_size)
    import zipfile

    with zipfile.ZipFile(raw) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        members = [info for info in members if not info.filename.startswith("__MACOSX/")]
        if not members or len(members) > MEMBERS_MAX:
            raise DataError(
                f"bar file {path} is a zip archive of {len(members)} files",
                "give an archive of bar files",
            )
        for info in sorted(members, key=lambda info: info.filename):
            part = Part(path, info.filename, "text", "zip", position=raw.tell)
            if info.flag_bits & 1:
                raise DataError(f"bar file {part.where} is encrypted", "unpack it first")
            if found := _LEAN_DAY.fullmatch(info.filename):
                part.day_ms = StampColumn("date").read_one("-".join(found.groups()))
            with _refusing(part.where), archive.open(info) as stream:
                _fill(part, stream, limit, None)
                yield part


def _fill(part: Part, stream: IO[bytes], limit: _Limit, plain: BufferedReader | None) -> None:
    """Set what the first bytes tell, and the blocks. `plain`: the file itself, uncompressed."""
    start = stream.read(512)
    while len(start) < 16 and (more := stream.read(16)):
        start += more
    if not start or start == _MARK:
        raise DataError(f"bar file {part.where} is empty", "fetch or copy it again")
    inner = _told_by(start, COMPRESSED) and "compressed twice: unpack it first"
    arrow = _told_by(start, _ARROW)
    if arrow and plain is None:
        inner = f"a {arrow} file within an archive: unpack it first"
    inner = inner or _told_by(start, _STRANGE)
    if start[257:262] == b"ustar":
        inner = _STRANGE[b"ustar"]
    if inner:
        raise DataError(f"bar file {part.where} is not CSV text", f"it is {inner}")
    if arrow and plain is not None:
        from trader.bars.arrow_files import arrow_blocks

        part.form = arrow
        part.blocks = arrow_blocks(part, plain)
        return
    chunks = limit.watch(start, stream)
    encoding = _told_by(start, _UTF16)
    if encoding:
        part.encoding = encoding
        chunks = _recoded(chunks, encoding)
    elif start.startswith(_MARK):
        part.encoding = "utf-8-sig"
        chunks = _without_mark(chunks)
    head = start.decode(encoding, "ignore") if encoding else ""
    if (head.encode() or start.removeprefix(_MARK)).lstrip()[:1] in (b"[", b"{"):
        from trader.bars.json_rows import json_blocks

        part.form = "json"
        part.blocks = _guarded(part, json_blocks(part, chunks))
        return
    part.blocks = _guarded(part, line_blocks(part, chunks))


def _told_by(start: bytes, table: dict[bytes, str]) -> str:
    return next((what for magic, what in table.items() if start.startswith(magic)), "")


def _inflated(part: Part, raw: BufferedReader) -> IO[bytes]:
    if part.compression == "gzip":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if part.compression == "bzip2":
        import bz2

        return bz2.BZ2File(raw)
    if part.compression == "xz":
        import lzma

        return lzma.LZMAFile(raw)
    if part.compression == "zstd":
        return _zstd(part, raw)
    return raw


def _zstd(part: Part, raw: BufferedReader) -> IO[bytes]:
    # The standard library has it from Python 3.14 on; before, its backport is a dependency.
    for name in ("compression.zstd", "backports.zstd"):
        try:
            module: Any = importlib.import_module(name)
        except ImportError:
            continue
        return cast("IO[bytes]", module.ZstdFile(raw))
    raise DataError(
        f"bar file {part.where} is zstd compressed, and the reader for it is not installed",
        "pip install backports.zstd, or unpack it first",
    )


class _Limit:
    """Counts what comes out of a file, so that a small one does not fill the memory."""

    def __init__(self, where: str, size: int) -> None:
        self.where = where
        self.most = max(INFLATED_FREE, INFLATED_TIMES_MAX * size)
        self.seen = 0

    def watch(self, start: bytes, stream: IO[bytes]) -> Generator[bytes, None, None]:
        """`start` and what follows it, in blocks."""
        chunk = start
        while chunk:
            self.seen += len(chunk)
            if self.seen > self.most:
                raise DataError(
                    f"bar file {self.where} unpacks to more than {self.most >> 20} MB, "
                    f"{INFLATED_TIMES_MAX} times its size",
                    "it is damaged or made to do harm; unpack it yourself if you trust it",
                )
            yield chunk
            chunk = stream.read(BLOCK_BYTES)


def _without_mark(chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    yield next(chunks).removeprefix(_MARK)
    yield from chunks


def _recoded(chunks: Iterator[bytes], encoding: str) -> Generator[bytes, None, None]:
    decoder = getincrementaldecoder(encoding)()
    for chunk in chunks:
        if text := decoder.decode(chunk):
            yield text.encode()
    if text := decoder.decode(b"", final=True):
        yield text.encode()


def line_blocks(part: Part, chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """Whole lines, whatever ends them in the file; `part.ended` is known after the last."""
    rest = b""
    for chunk in chunks:
        if b"\0" in chunk:
            raise DataError(
                f"bar file {part.where} holds zero bytes: it is binary, half-written, or UTF-16 "
                "without its mark",
                "give a CSV or CSV.gz file, saved as UTF-8",
            )
        lines = rest + chunk
        held = b""
        if b"\r" in lines:
            # The other half of a CRLF may be in the next chunk.
            held = b"\r" if lines.endswith(b"\r") else b""
            lines = lines[: len(lines) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        cut = lines.rfind(b"\n") + 1
        rest = lines[cut:] + held
        if len(rest) > LINE_BYTES_MAX:
            raise DataError(
                f"bar file {part.where} has a line of over a million characters",
                "give a CSV or CSV.gz file with one bar per line",
            )
        if cut:
            yield lines[:cut]
    if rest:
        part.ended = rest.endswith(b"\r")
        yield rest.removesuffix(b"\r") + b"\n"


def _guarded(part: Part, blocks: Iterator[bytes]) -> Generator[bytes, None, None]:
    with _refusing(part.where):
        yield from blocks


@contextmanager
def _refusing(where: str) -> Generator[None]:
    """DataError for whatever the file system or a damaged stream raises."""
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(
            f"bar file {where} does not exist", "check the path or import the bars first"
        ) from None
    except _stream_errors() as error:
        raise _torn(where, error) from None
    except UnicodeError:
        raise DataError(
            f"bar file {where} is not UTF-8 or UTF-16 text",
            "give a CSV or CSV.gz file, saved as UTF-8",
        ) from None
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile) or error.errno is None:
            raise _torn(where, error) from None
        raise DataError(
            f"bar file {where} cannot be read: {error.strerror or error}",
            "give a readable CSV or CSV.gz file",
        ) from None


def _stream_errors() -> tuple[type[Exception], ...]:
    """What a damaged stream raises; asked only once something was raised."""
    import lzma
    import zipfile

    return EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile


def _torn(where: str, error: Exception) -> DataError:
    kinds = {"BadZipFile": "zip", "LZMAError": "xz", "ZstdError": "zstd", "OSError": "bzip2"}
    kind = kinds.get(type(error).__name__, "gzip")
    return DataError(
        f"bar file {where} is cut off or damaged inside its {kind} stream ({error})",
        "fetch or copy it again",
    )


def _state(path: Path) -> tuple[int, ...] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_dev, stat.st_size, stat.st_mtime_ns
