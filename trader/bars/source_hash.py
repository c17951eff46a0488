"""What the bytes of a bar file or folder are: the key of everything that is kept of it.

Lives here: hashing, and remembering what was hashed, so that a large source that nobody has written
to is not read again only to learn that. A source is known again by the size, both times, number and
device of each of its files, which the kernel changes whenever one is written to. As in git's index
there is one gap, and it is closed in the same way: a file that was written to within the last
seconds before it was hashed may be written to again within one tick of the clock, so its hash is
not remembered. What is left, as there, is a program that writes through mapped memory while this
one reads, a machine whose clock is set back, and images whose files all have one made-up time. Must
not live here: columns (`cache`), parsing.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from zlib import crc32

from trader.bars.column_file import new_part
from trader.records import dataclass

_BLOCK_BYTES = 1 << 20
# What is smaller is hashed in less time than it takes to look it up.
KNOWN_BYTES_MIN = 4 << 20
# Longer than a tick of any file system's clock, and than two machines' clocks differ.
QUIET_NS = 5_000_000_000
KNOWN_MAX = 1_000
_SUFFIX = ".sha"

# Called with (bytes hashed, bytes in all).
Hashing = Callable[[int, int], None]
# Of each file: size, times of its bytes and of its entry, number and device.
State = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A file or folder as it was when it was hashed.

    Attributes:
        sha: sha256 of its bytes; of a folder: of the names and bytes of its files.
        state: what tells that it was written to since (sizes, times and numbers of files).
    """

    path: Path
    sha: str
    state: State

    def changed(self) -> bool:
        """Whether it was written to, replaced or removed since it was hashed."""
        try:
            return self.state != _state_of([file.stat() for file in _files_of(self.path)])
        except OSError:
            return True


def hash_source(
    path: Path, progress: Hashing | None = None, known: Path | None = None
) -> Source | None:
    """What the bytes of a bar file or folder are; None for what cannot be read twice (a pipe).

    `known`: the folder in which hashes are remembered. Raises OSError, but not for that folder.
    """
    files = list(_files_of(path))
    found = [file.stat() for file in files]
    if not all(stat.S_ISREG(status.st_mode) for status in found):
        return None
    state = _state_of(found)
    if known is None or sum(row[0] for row in state) < KNOWN_BYTES_MIN:
        return Source(path, _hash(path, files, state, progress), state)
    place = _place(known, path, files, state)
    sha = _recall(place) or _hash_and_remember(place, path, files, state, progress)
    return Source(path, sha, state)


def _hash_and_remember(
    place: Path, path: Path, files: Sequence[Path], state: State, progress: Hashing | None
) -> str:
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part, descriptor = new_part(place)
    except OSError:
        return _hash(path, files, state, progress)
    with ExitStack() as done:
        done.callback(os.close, descriptor)
        done.callback(part.unlink, missing_ok=True)
        began_ns = os.fstat(descriptor).st_mtime_ns  # by the clock of the file system
        sha = _hash(path, files, state, progress)
        if began_ns > max(max(row[1], row[2]) for row in state) + QUIET_NS:
            with suppress(OSError):
                os.write(descriptor, _sealed(place, sha))
                part.replace(place)
                _drop_oldest(place.parent)
    return sha


def _recall(place: Path) -> str:
    """The hash that is remembered there; "" when there is none to be believed."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(place, flags)
    except OSError:
        return ""
    try:
        status = os.fstat(descriptor)
        strange = status.st_uid not in {0, os.geteuid()} or status.st_mode & 0o022
        if strange or not stat.S_ISREG(status.st_mode):
            return ""
        told = os.read(descriptor, 256)
    finally:
        os.close(descriptor)
    sha = told[:64].decode("ascii", "replace")
    return sha if told == _sealed(place, sha) else ""


def _sealed(place: Path, sha: str) -> bytes:
    """What is written of a hash: no bit of it may flip, and it is of this place alone."""
    return f"{sha} {crc32(f'{place.name} {sha}'.encode()):08x}\n".encode()


def _place(known: Path, path: Path, files: Sequence[Path], state: State) -> Path:
    """The file that a hash is remembered in: named by all that tells the source again."""
    rows = [[str(file), *row] for file, row in zip(files, state, strict=True)]
    return known / f"{_sha_of([str(path.absolute()), rows])[:32]}{_SUFFIX}"


def _drop_oldest(known: Path) -> None:
    found = sorted((file.stat().st_mtime_ns, file) for file in known.glob(f"*{_SUFFIX}"))
    for _, file in found[:-KNOWN_MAX]:
        file.unlink(missing_ok=True)


def _hash(path: Path, files: Sequence[Path], state: State, progress: Hashing | None) -> str:
    total, done = sum(row[0] for row in state), 0
    shas: list[tuple[str, str]] = []
    for file, row in zip(files, state, strict=True):
        digest = hashlib.sha256()
        for block in _blocks_of(file, row[0]):
            digest.update(block)
            done += len(block)
            if progress is not None:
                progress(done, total)
        shas.append((str(file.relative_to(path)), digest.hexdigest()))
    return _sha_of(shas) if path.is_dir() else shas[0][1]


def _blocks_of(file: Path, size: int) -> Iterator[memoryview]:
    """The first `size` bytes. In small blocks: mapped, the source would count as memory of this
    process. And no further than it went at first: a file that grows would never end."""
    block = memoryview(bytearray(_BLOCK_BYTES))
    with file.open("rb", buffering=0) as stream:
        while size > 0 and (count := stream.readinto(block[:size])):
            yield block[:count]
            size -= count


def _files_of(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for found in sorted(path.rglob("*")):
        if not found.is_dir():
            yield found


def _state_of(found: Sequence[os.stat_result]) -> State:
    return tuple((r.st_size, r.st_mtime_ns, r.st_ctime_ns, r.st_ino, r.st_dev) for r in found)


def _sha_of(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
