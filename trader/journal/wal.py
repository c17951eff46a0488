"""The write-ahead log, frame by frame.

Lives here: an own walk over a WAL file, because SQLite takes a frame that does not check out for
the log's end and drops the tail without a word. Source: "WAL-mode File Format" of sqlite.org.
Must not live here: anything that writes.
"""

from __future__ import annotations

import struct

from trader.journal.schema import PAGE_BYTES
from trader.records import dataclass

HEADER = struct.Struct(">8I")
FRAME = struct.Struct(">6I")
FRAME_BYTES = FRAME.size + PAGE_BYTES
MAGIC_BIG = 0x377F0683  # checksums over big-endian words; without the last bit, little-endian
FORMAT = 3007000
_WORD = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class WalReport:
    """What a WAL file holds.

    Attributes:
        frames: whole frames in the file. committed: frames up to the newest valid commit.
        problems: (frame number from 1, 0 for the header; what is wrong).
        leftovers: frames behind the last commit that an interrupted write explains.
    """

    frames: int
    committed: int
    problems: tuple[tuple[int, str], ...]
    leftovers: int


def checksum(data: bytes, start: tuple[int, int], *, big: bool) -> tuple[int, int]:
    """SQLite's WAL checksum over 8-byte steps, going on from `start`."""
    words = struct.unpack(f"{'>' if big else '<'}{len(data) // 4}I", data)
    first, second = start
    for index in range(0, len(words), 2):
        first = (first + words[index] + second) & _WORD
        second = (second + words[index + 1] + first) & _WORD
    return first, second


def walk_wal(data: bytes) -> WalReport:
    """Check header, salts and checksums of a whole WAL file; an empty one has nothing to check.

    Frames behind the last commit are a problem when one of them says that it is a commit of this
    log: an interrupted write leaves none (its commit frame is written last).
    """
    if not data:
        return WalReport(0, 0, (), 0)
    if len(data) < HEADER.size:
        return WalReport(0, 0, ((0, f"the WAL is cut: {len(data)} bytes"),), 0)
    magic, version, page, _, salt1, salt2, *told = HEADER.unpack_from(data)
    big = magic == MAGIC_BIG
    running = checksum(data[: HEADER.size - 8], (0, 0), big=big)
    sane = magic | 1 == MAGIC_BIG and version == FORMAT and page == PAGE_BYTES
    if not sane or tuple(told) != running:
        return WalReport(0, 0, ((0, "the WAL's header does not check out"),), 0)
    body = data[HEADER.size :]
    total = len(body) // FRAME_BYTES
    valid = committed = 0
    for number in range(1, total + 1):
        frame = body[(number - 1) * FRAME_BYTES : number * FRAME_BYTES]
        _, size, frame_salt1, frame_salt2, *frame_told = FRAME.unpack_from(frame)
        running = checksum(frame[:8] + frame[FRAME.size :], running, big=big)
        if (frame_salt1, frame_salt2) != (salt1, salt2) or tuple(frame_told) != running:
            break
        valid = number
        committed = number if size else committed
    problems = _behind(body, valid, total, (salt1, salt2))
    return WalReport(total, committed, tuple(problems), total - committed)


def _behind(body: bytes, valid: int, total: int, salts: tuple[int, int]) -> list[tuple[int, str]]:
    """Whether the frames behind the last valid one can be leftovers of an interrupted write."""
    for number in range(valid + 1, total + 1):
        _, size, *found = FRAME.unpack_from(body, (number - 1) * FRAME_BYTES)
        if size and tuple(found[:2]) == salts:
            what = f"frame {valid + 1} of the WAL does not check out, yet frame {number} commits"
            return [(valid + 1, what)]
    return []


def newest_frames(data: bytes) -> tuple[int, dict[int, int]]:
    """Committed frames of a sound WAL, and page -> the frame that holds it last.

    Goes by the salts and commit marks alone; whether the frames check out is `walk_wal`'s task.
    """
    if len(data) < HEADER.size:
        return 0, {}
    salts = HEADER.unpack_from(data)[4:6]
    newest: dict[int, int] = {}
    waiting: dict[int, int] = {}
    frames = 0
    for number in range(1, (len(data) - HEADER.size) // FRAME_BYTES + 1):
        place = HEADER.size + (number - 1) * FRAME_BYTES
        page, size, *found = FRAME.unpack_from(data, place)
        if tuple(found[:2]) != salts:
            break
        waiting[page] = number
        if size:
            newest.update(waiting)
            waiting.clear()
            frames = number
    return frames, newest
