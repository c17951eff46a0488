"""The head file: two lines, written in turn, each vouching for itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from trader.journal import Journal
from trader.journal.codec import NO_HASH
from trader.journal.head import (
    LINE_BYTES,
    Head,
    HeadFile,
    head_path,
    parse_noted,
    read_lines,
    rewrite,
)

ONE, TWO, THREE = (Head(number, str(number) * 64) for number in (1, 2, 3))


def test_lines_are_written_in_turn_and_the_newest_counts(tmp_path: Path) -> None:
    place = tmp_path / "journal.head"
    file = HeadFile(place)
    assert file.newest is None
    file.prepare(ONE)
    assert read_lines(place) == [ONE, ONE]
    file.write(TWO)
    assert read_lines(place) == [ONE, TWO]
    file.write(THREE)
    file.close()
    file.close()
    assert read_lines(place) == [THREE, TWO]
    again = HeadFile(place)
    assert again.newest == THREE
    again.prepare(THREE)
    assert read_lines(place) == [THREE, TWO]
    again.close()


def test_every_flipped_bit_damages_its_line_and_no_other(tmp_path: Path) -> None:
    place = tmp_path / "journal.head"
    rewrite(place, TWO)
    data = place.read_bytes()
    for at in range(len(data)):
        for bit in range(8):
            spoilt = bytearray(data)
            spoilt[at] ^= 1 << bit
            place.write_bytes(spoilt)
            lines = read_lines(place)
            assert lines[at // LINE_BYTES] is None
            assert lines[1 - at // LINE_BYTES] == TWO


def test_a_damaged_line_is_written_anew_when_the_journal_opens(tmp_path: Path) -> None:
    place = tmp_path / "journal.head"
    rewrite(place, TWO)
    place.write_bytes(b"x" + place.read_bytes()[1:])
    file = HeadFile(place)
    assert file.newest == TWO
    file.prepare(TWO)
    file.close()
    assert read_lines(place) == [TWO, TWO]


def test_a_file_of_another_length_shows_it(tmp_path: Path) -> None:
    place = tmp_path / "journal.head"
    rewrite(place, ONE)
    place.write_bytes(place.read_bytes() + b"more")
    assert read_lines(place) == [ONE, ONE, None]


def test_each_commit_is_noted(journal: Journal, path: Path) -> None:
    for number in range(4):
        journal.append("note", {"n": number}, number)
        noted = read_lines(head_path(path))
        assert journal.head in noted


def test_a_head_noted_elsewhere_is_read() -> None:
    assert parse_noted(f" 12:{NO_HASH}\n") == Head(12, NO_HASH)


@pytest.mark.parametrize(
    "text", ["", "12", f"x:{NO_HASH}", "12:abc", f"1:{'G' * 64}", f":{NO_HASH}"]
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="SEQ:HASH"):
        parse_noted(text)
