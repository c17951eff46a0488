"""The cache of parsed bars: equal to parsing, believed only when sound, and never in the way."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from zlib import crc32

import pytest

from trader.app.bar_store import OpenedBars, open_bars
from trader.bars import column_file
from trader.bars.bar_file import READER_VERSION
from trader.bars.column_file import FORMAT_VERSION, MAGIC, read_columns, write_columns
from trader.bars.load import load_bars
from trader.bars.source_hash import hash_source
from trader.core.series import Series
from trader.errors import DataError

M = 60_000
T0 = 1_700_000_040_000
HEADER = "timestamp,open,high,low,close,volume\n"


def write_source(folder: Path, rows: int = 5_000, name: str = "BTC_USDT-1m.csv") -> Path:
    """A bar file of random prices without gaps."""
    draw = random.Random(rows)
    lines = [HEADER]
    for index in range(rows):
        low, high = sorted((draw.randrange(100, 900), draw.randrange(100, 900)))
        volume = draw.randrange(0, 10_000) / 1_000
        lines.append(f"{T0 + index * M},{low}.5,{high}.75,{low}.25,{high}.5,{volume}\n")
    path = folder / name
    path.write_text("".join(lines))
    return path


def kept_file(folder: Path) -> Path:
    """The only file of a cache."""
    (path,) = (folder / "bars").glob("*.bars")
    return path


def same(found: OpenedBars, source: Path) -> bool:
    """Whether the bars are what parsing gives, column by column, and so is the report."""
    parsed = load_bars(source)
    return columns(found.series) == columns(parsed.series) and found.report == parsed.report


def columns(series: Series) -> list[bytes | str | int | Decimal]:
    """Everything that a series holds, fit to be compared."""
    numbers = (series.open_ms, series.open, series.high, series.low, series.close, series.volume)
    return [series.symbol, series.step_ms, series.tick, *(bytes(column) for column in numbers)]


def test_the_second_time_the_same_bars_are_mapped_instead_of_parsed(tmp_path: Path) -> None:
    source = write_source(tmp_path)
    first = open_bars(source, folder=tmp_path / "cache")
    second = open_bars(source, folder=tmp_path / "cache")
    assert (first.cached, second.cached) == (False, True)
    assert same(first, source)
    assert same(second, source)
    assert isinstance(second.series.close, memoryview)
    assert second.series.close.readonly
    assert second.content_sha == first.content_sha
    assert (first.notes, second.notes) == ((), ())


@pytest.mark.parametrize("changed", ["one byte", "one line more", "symbol", "tick", "timeframe"])
def test_other_bytes_or_arguments_are_parsed(tmp_path: Path, changed: str) -> None:
    source = write_source(tmp_path)
    open_bars(source, "BTC/USDT", folder=tmp_path / "cache")
    status = source.stat()
    text = source.read_text()
    if changed == "one byte":
        last = text[-2]
        source.write_text(text[:-2] + ("1" if last != "1" else "2") + "\n")
        os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert source.stat().st_size == status.st_size
    elif changed == "one line more":
        source.write_text(f"{text}{T0 + 5_000 * M},1,1,1,1,1\n")
    arguments = {
        "symbol": ("ETH/USDT", None, None),
        "tick": ("BTC/USDT", Decimal("0.0001"), None),
        "timeframe": ("BTC/USDT", None, "1m"),
    }.get(changed, ("BTC/USDT", None, None))
    found = open_bars(source, *arguments, folder=tmp_path / "cache")
    parsed = load_bars(source, *arguments)
    assert not found.cached
    assert columns(found.series) == columns(parsed.series)


def test_equal_bytes_under_another_name_may_mean_another_instrument(tmp_path: Path) -> None:
    source = write_source(tmp_path)
    open_bars(source, folder=tmp_path / "cache")
    other = source.rename(tmp_path / "ETH_USDT-1m.csv")
    assert open_bars(other, folder=tmp_path / "cache").symbol == "ETH/USDT"


def damage(path: Path, change: Callable[[bytearray], bytearray | bytes]) -> None:
    """Write a changed copy over a file, as a disk or a hand would."""
    data = change(bytearray(path.read_bytes()))
    path.unlink()
    path.write_bytes(data)
    path.chmod(0o600)


def made_anew(source: Path, cache: Path, why: str) -> None:
    """The damaged file is noticed and named, the bars are right, and the next run is served."""
    found = open_bars(source, folder=cache)
    assert not found.cached
    assert len(found.notes) == 1
    assert "was dropped and is made anew" in found.notes[0]
    assert why in found.notes[0]
    assert same(found, source)
    again = open_bars(source, folder=cache)
    assert again.cached
    assert same(again, source)


def header_bytes(path: Path) -> int:
    """Where the columns of a file begin."""
    length = int.from_bytes(path.read_bytes()[len(MAGIC) : len(MAGIC) + 4], "little")
    return -(-(len(MAGIC) + 8 + length) // 64) * 64


def test_every_byte_of_the_header_counts(tmp_path: Path) -> None:
    source = write_source(tmp_path, rows=40)
    cache = tmp_path / "cache"
    open_bars(source, folder=cache)
    path = kept_file(cache)
    sound = path.read_bytes()
    draw = random.Random(1)
    count = header_bytes(path)
    assert count > 300
    for index in range(count):
        changed = bytearray(sound)
        changed[index] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        found = open_bars(source, folder=cache)
        assert not found.cached, f"byte {index} of the header"
        assert len(found.notes) == 1
    assert kept_file(cache).read_bytes() == sound


def test_a_file_cut_at_any_64_kib_is_noticed(tmp_path: Path) -> None:
    source = write_source(tmp_path, rows=20_000)
    cache = tmp_path / "cache"
    open_bars(source, folder=cache)
    sound = kept_file(cache).read_bytes()
    cuts = [*range(0, len(sound), 1 << 16), 7, 15, 16, 63, 64, len(sound) - 1]
    assert len(cuts) > 15
    for cut in cuts:
        kept_file(cache).write_bytes(sound[:cut])
        made_anew(source, cache, "it was cut" if cut >= 8 else "")


def test_any_flipped_bit_of_a_column_is_noticed(tmp_path: Path) -> None:
    source = write_source(tmp_path, rows=3_001)
    cache = tmp_path / "cache"
    open_bars(source, folder=cache)
    path = kept_file(cache)
    sound = path.read_bytes()
    start = header_bytes(path)
    draw = random.Random(2)
    places = [start, len(sound) - 1, start + 8 * 3_001 + 3]
    places += [draw.randrange(start, len(sound)) for _ in range(150)]
    for place in places:
        changed = bytearray(sound)
        changed[place] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        found = open_bars(source, folder=cache)
        assert not found.cached, f"byte {place}"
        assert "bytes have changed" in found.notes[0] or "between its columns" in found.notes[0]


def other_header(path: Path, **changes: object) -> None:
    """The same columns under a header that says something else, with the right checksums."""
    data = path.read_bytes()
    start = header_bytes(path)
    length = int.from_bytes(data[len(MAGIC) : len(MAGIC) + 4], "little")
    outer = json.loads(data[len(MAGIC) + 8 : len(MAGIC) + 8 + length])
    facts = {key: outer["facts"][key] for key in outer["facts"]}
    for name, value in changes.items():
        (facts if name in facts else outer)[name] = value
    outer["facts"] = facts
    header = json.dumps(outer, sort_keys=True, separators=(",", ":")).encode()
    width = -(-(len(MAGIC) + 8 + len(header)) // 64) * 64
    size = len(header).to_bytes(4, "little")
    body = header.ljust(width - len(MAGIC) - 8, b"\0")
    crc = crc32(body, crc32(MAGIC + size)).to_bytes(4, "little")
    path.write_bytes(MAGIC + size + crc + body + data[start:])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": FORMAT_VERSION + 1}, "this program's is"),
        ({"version": FORMAT_VERSION - 1}, "this program's is"),
        ({"byteorder": "big"}, "big-endian"),
        ({"reader": READER_VERSION + 1}, "was read by reader"),
        ({"key": "0" * 64}, "of another source"),
        ({"report": {}}, "its report is of another version"),
        ({"report": {"rows": 1}}, "its report is of another version"),
        ({"rows": 4_000}, "it was cut"),
        ({"rows": -1}, "its header is not one that is written"),
        ({"rows": "5000"}, "its header is not one that is written"),
        ({"crc": []}, "its header is not one that is written"),
        ({"tick": "zero"}, "its header is not one that is written"),
        ({"tick": "-1"}, "its header is not one that is written"),
        ({"symbol": 5}, "its header is not one that is written"),
    ],
)
def test_a_file_of_another_version_or_source_is_made_anew(
    tmp_path: Path, changes: dict[str, object], why: str
) -> None:
    source = write_source(tmp_path)
    cache = tmp_path / "cache"
    open_bars(source, folder=cache)
    other_header(kept_file(cache), **changes)
    made_anew(source, cache, why)


def test_a_file_that_others_may_write_to_is_not_believed(tmp_path: Path) -> None:
    source = write_source(tmp_path)
    cache = tmp_path / "cache"
    open_bars(source, folder=cache)
    kept_file(cache).chmod(0o666)
    made_anew(source, cache, "others may write to it")


def test_a_pipe_or_a_link_in_the_place_of_a_file_is_no_trap(tmp_path: Path) -> None:
    source = write_source(tmp_path)
    cache = tmp_path / "cache"
    open_bars(source, folder=cache)
    path = kept_file(cache)
    path.unlink()
    os.mkfifo(path)
    assert same(open_bars(source, folder=cache), source)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert same(open_bars(source, folder=cache), source)


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    source = write_source(tmp_path)
    (tmp_path / "file").write_text("in the way")
    found = open_bars(source, folder=tmp_path / "file")
    assert same(found, source)
    assert "cannot be written" in found.notes[-1]
    assert not open_bars(source, folder=None).notes


def test_the_folder_may_be_removed_while_its_bars_are_in_use(tmp_path: Path) -> None:
    source = write_source(tmp_path)
    cache = tmp_path / "cache"
    open_bars(source, folder=cache)
    found = open_bars(source, folder=cache)
    kept_file(cache).unlink()
    (cache / "bars").rmdir()
    assert same(found, source)
    assert same(open_bars(source, folder=cache), source)


def test_what_is_kept_is_private(tmp_path: Path) -> None:
    source = write_source(tmp_path)
    open_bars(source, folder=tmp_path / "cache")
    path = kept_file(tmp_path / "cache")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def forked(work: Callable[[], bool]) -> int:
    """A child that does some work and ends; returns its pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        code = 0 if work() else 2
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """The exit code of a child, or minus its signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_processes_that_start_at_once_all_get_the_right_bars(tmp_path: Path) -> None:
    source = write_source(tmp_path, rows=2_000)
    cache = tmp_path / "cache"

    open_bars(source, folder=cache)
    path = kept_file(cache)

    def work() -> bool:
        right = True
        for number in range(6):
            right &= same(open_bars(source, folder=cache), source)
            if number % 3 == 2:
                path.unlink(missing_ok=True)
        return right

    children = [forked(work) for _ in range(4)]
    assert [ended(pid) for pid in children] == [0, 0, 0, 0]
    assert not list((cache / "bars").glob("*.part"))


def test_a_writer_killed_at_any_moment_leaves_no_half_file(tmp_path: Path) -> None:
    """The child is stopped in the middle of its writing by its own signal."""
    source = write_source(tmp_path, rows=2_000)
    cache = tmp_path / "cache"
    for pieces in range(12):

        def work(pieces: int = pieces) -> bool:
            left = [pieces]
            true_write = os.write

            def write(descriptor: int, data: memoryview) -> int:
                if left[0] == 0:
                    true_write(descriptor, data[: len(data) // 2])
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                return true_write(descriptor, data)

            os.write = write  # the kernel's own call, cut short: no code of ours is replaced
            open_bars(source, folder=cache)
            return True

        code = ended(forked(work))
        assert code in {0, -signal.SIGKILL}
        parts = list((cache / "bars").glob(".*.part"))
        assert len(parts) == (1 if code else 0)
        found = open_bars(source, folder=cache)
        assert found.cached == (code == 0)
        assert same(found, source)
        assert not list((cache / "bars").glob(".*.part"))
        kept_file(cache).unlink()


def test_a_part_of_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    series = load_bars(write_source(tmp_path)).series
    place = tmp_path / "kept.bars"
    ready, go = os.pipe(), os.pipe()

    def work() -> bool:
        true_replace = Path.replace

        def slow(self: Path, target: Path) -> Path:
            os.write(ready[1], b"x")
            os.read(go[0], 1)
            return true_replace(self, target)

        Path.replace = slow  # type: ignore[method-assign] - the child waits before its rename
        write_columns(place, series, {}, durable=True)
        return True

    pid = forked(work)
    try:
        os.read(ready[0], 1)
        column_file.drop_parts(tmp_path)
        assert len(list(tmp_path.glob(".*.part"))) == 1
    finally:
        os.write(go[1], b"x")
        code = ended(pid)
        for end in (*ready, *go):
            os.close(end)
    assert code == 0
    assert columns(read_columns(place).series) == columns(series)


def test_the_oldest_files_go_when_the_cache_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trader.bars.cache.CACHE_BYTES_MAX", 30_000)
    cache = tmp_path / "cache"
    for number in range(5):
        source = write_source(tmp_path, rows=200 + number, name=f"BTC_USDT-1m.{number}.csv")
        assert same(open_bars(source, folder=cache), source)
        assert open_bars(source, folder=cache).cached
    assert 1 <= len(list((cache / "bars").glob("*.bars"))) <= 3


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    source = write_source(tmp_path, rows=200)
    grown: list[int] = []

    def grow(done: int, total: int) -> None:
        grown.append(done)
        with source.open("a") as stream:
            stream.write(f"{T0 + (200 + len(grown)) * M},1,1,1,1,1\n")

    with pytest.raises(DataError, match="was written to while it was read; wait until"):
        open_bars(source, folder=tmp_path / "cache", progress=grow)
    assert grown
    assert not list((tmp_path / "cache").rglob("*.bars"))


def test_a_file_that_is_written_over_while_it_is_read_is_refused(tmp_path: Path) -> None:
    source = write_source(tmp_path, rows=200)
    text = source.read_text()

    def write_over(done: int, total: int) -> None:
        with source.open("r+") as stream:
            stream.write(text.replace(".75", ".50"))

    with pytest.raises(DataError, match="was written to while it was read"):
        open_bars(source, folder=tmp_path / "cache", progress=write_over)
    assert source.stat().st_size == len(text)


def test_a_cut_file_that_grows_is_said_to_grow(tmp_path: Path) -> None:
    source = write_source(tmp_path, rows=50)
    with source.open("a") as stream:
        stream.write(f"{T0 + 50 * M},1,")

    def grow(done: int, total: int) -> None:
        with source.open("a") as stream:
            stream.write("1,1,1")

    with pytest.raises(DataError, match="was written to while it was read"):
        open_bars(source, folder=tmp_path / "cache", progress=grow)


def test_a_pipe_is_not_emptied_for_its_hash(tmp_path: Path) -> None:
    pipe = tmp_path / "ETH_USDT-1m.csv"
    os.mkfifo(pipe)
    assert hash_source(pipe) is None


def test_what_cannot_be_read_is_refused_as_the_reader_refuses_it(tmp_path: Path) -> None:
    for wrong in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(DataError) as direct:
            load_bars(wrong)
        with pytest.raises(DataError) as cached:
            open_bars(wrong, folder=tmp_path / "cache")
        assert str(cached.value) == str(direct.value)


def test_a_series_of_no_bars_is_written_and_read(tmp_path: Path) -> None:
    series = load_bars(write_source(tmp_path)).series
    nothing = replace(series.slice(0, 0), symbol="A/B")
    write_columns(tmp_path / "empty.bars", nothing, {"a": [1, None]}, durable=True)
    found = read_columns(tmp_path / "empty.bars")
    assert columns(found.series) == columns(nothing)
    assert found.facts == {"a": [1, None]}
