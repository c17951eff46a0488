"""A large source that nobody wrote to is known again without reading it, and only then."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from trader.bars import source_hash
from trader.bars.source_hash import KNOWN_BYTES_MIN, QUIET_NS, Source, hash_source

SIZE = KNOWN_BYTES_MIN + 100


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that counts as quiet from its first moment."""
    path = tmp_path / "bars.csv"
    path.write_bytes(b"a" * SIZE)
    monkeypatch.setattr(source_hash, "QUIET_NS", -QUIET_NS)
    return path


def known(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def hashed(path: Path, folder: Path) -> tuple[Source, int]:
    """(the source, how many bytes were read for it)."""
    read: list[int] = []
    found = hash_source(path, lambda done, _: read.append(done), folder)
    assert found is not None
    return found, max(read, default=0)


def remembered(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.sha"))


def test_the_second_time_nothing_is_read(source: Path, tmp_path: Path) -> None:
    first, read = hashed(source, known(tmp_path))
    assert read == SIZE
    again, read = hashed(source, known(tmp_path))
    assert read == 0
    assert again == first
    assert first.sha == hashlib.sha256(source.read_bytes()).hexdigest()
    assert not again.changed()
    assert [path.suffix for path in known(tmp_path).iterdir()] == [".sha"]


def written(path: Path) -> None:
    path.write_bytes(b"b" * SIZE)


def written_in_place(path: Path) -> None:
    status = path.stat()
    with path.open("r+b") as stream:
        stream.write(b"b")
    # Whoever sets the time back cannot set back that of the entry.
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def grown(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"b")


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"b" * SIZE)
    status = path.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("change", [written, written_in_place, grown, replaced])
def test_what_was_written_to_is_read_again(
    source: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    first, _ = hashed(source, known(tmp_path))
    change(source)
    assert first.changed()
    again, read = hashed(source, known(tmp_path))
    assert read == source.stat().st_size
    assert again.sha == hashlib.sha256(source.read_bytes()).hexdigest() != first.sha


def test_what_was_written_to_a_moment_ago_is_not_remembered(tmp_path: Path) -> None:
    source = tmp_path / "bars.csv"
    source.write_bytes(b"a" * SIZE)
    for _ in range(2):
        assert hashed(source, known(tmp_path))[1] == SIZE
    assert not list(known(tmp_path).iterdir())


def test_what_is_small_is_not_remembered(source: Path, tmp_path: Path) -> None:
    source.write_bytes(b"a" * (KNOWN_BYTES_MIN - 1))
    hashed(source, known(tmp_path))
    assert not known(tmp_path).exists()


def test_a_folder_is_known_by_all_of_its_files(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "days"
    folder.mkdir()
    source.rename(folder / "1.csv")
    (folder / "2.csv").write_bytes(b"c")
    first, read = hashed(folder, known(tmp_path))
    assert (read, hashed(folder, known(tmp_path))[1]) == (SIZE + 1, 0)
    (folder / "2.csv").rename(folder / "3.csv")
    again, read = hashed(folder, known(tmp_path))
    assert read == SIZE + 1
    assert again.sha != first.sha


def test_a_source_under_another_name_is_another(source: Path, tmp_path: Path) -> None:
    hashed(source, known(tmp_path))
    other = source.rename(source.with_name("other.csv"))
    assert hashed(other, known(tmp_path))[1] == SIZE


@pytest.mark.parametrize("at", [0, 30, 63, 64, 65, 72, 73])
def test_a_flipped_bit_is_not_believed(source: Path, tmp_path: Path, at: int) -> None:
    first, _ = hashed(source, known(tmp_path))
    (place,) = remembered(known(tmp_path))
    told = bytearray(place.read_bytes())
    told[at] ^= 1
    place.write_bytes(told)
    again, read = hashed(source, known(tmp_path))
    assert (again.sha, read) == (first.sha, SIZE)
    assert hashed(source, known(tmp_path))[1] == 0


@pytest.mark.parametrize("told", [b"", b"a" * 64, b"\xff" * 74, b"a" * 5_000])
def test_another_text_in_its_place_is_not_believed(
    source: Path, tmp_path: Path, told: bytes
) -> None:
    hashed(source, known(tmp_path))
    (place,) = remembered(known(tmp_path))
    place.write_bytes(told)
    assert hashed(source, known(tmp_path))[1] == SIZE


def test_the_hash_of_another_source_is_not_believed(source: Path, tmp_path: Path) -> None:
    hashed(source, known(tmp_path))
    (place,) = remembered(known(tmp_path))
    other = tmp_path / "other.csv"
    other.write_bytes(b"b" * SIZE)
    hashed(other, known(tmp_path))
    (beside,) = (path for path in remembered(known(tmp_path)) if path != place)
    place.replace(beside)
    assert hashed(other, known(tmp_path))[0].sha == hashlib.sha256(b"b" * SIZE).hexdigest()


def test_what_others_may_write_to_is_not_believed(source: Path, tmp_path: Path) -> None:
    hashed(source, known(tmp_path))
    (place,) = remembered(known(tmp_path))
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    place.chmod(0o666)
    assert hashed(source, known(tmp_path))[1] == SIZE
    place.unlink()
    os.mkfifo(place)
    assert hashed(source, known(tmp_path))[1] == SIZE


def test_a_folder_that_cannot_be_made_costs_time_only(source: Path, tmp_path: Path) -> None:
    known(tmp_path).write_bytes(b"a file")
    assert hashed(source, known(tmp_path))[1] == SIZE


def test_the_oldest_are_forgotten(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_hash, "KNOWN_MAX", 2)
    for name in ("1.csv", "2.csv", "3.csv"):
        other = tmp_path / name
        other.write_bytes(b"a" * SIZE)
        hashed(other, known(tmp_path))
        for age, place in enumerate(remembered(known(tmp_path))):
            if place.stat().st_mtime > 1_000:
                os.utime(place, (100 * age, 100 * age + len(name)))
    assert len(remembered(known(tmp_path))) == 2
    assert hashed(tmp_path / "3.csv", known(tmp_path))[1] == 0
