"""Small files of a cache that may be believed or not: sealed, private, replaced whole.

Lives here: writing one atomically, reading one back, and when it is not believed: missing, foreign,
open to other writers, cut, altered, or not what was asked for. Must not live here: what they hold.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from trader.core.canonical import canonical
from trader.policy.regular_files import read_regular

SIZE_BYTES_MAX = 8 << 20
# What a file that is not to be believed raises, here or when its body is read.
SEAL_ERRORS = (OSError, ValueError, KeyError, TypeError, RecursionError)


def read_sealed(path: Path, key: str) -> Any:
    """The body that was written under this key. Raises one of SEAL_ERRORS."""
    found = read_regular(path, SIZE_BYTES_MAX, os.O_NOFOLLOW)
    if found is None or not _is_ours(found[1]) or len(found[0]) > SIZE_BYTES_MAX:
        raise ValueError("not a file of ours")
    outer: Any = json.loads(found[0])
    body: Any = outer["body"]
    if outer["key"] != key or outer["seal"] != _seal(key, body):
        raise ValueError("not what was written")
    return body


def write_sealed(path: Path, key: str, body: Any) -> None:
    """Atomic: a reader sees the whole file or none. Raises OSError."""
    data = canonical({"key": key, "seal": _seal(key, body), "body": body}).encode()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(
            part,
            os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW,
            0o600,
        )
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def drop_oldest(folder: Path, pattern: str, kept_max: int, keep: str) -> None:
    """The cache stays small; `keep` is the name of a file that stays. Raises OSError."""
    files = sorted(folder.glob(pattern), key=lambda file: file.stat().st_mtime_ns)
    for file in files[: max(0, len(files) - kept_max)]:
        if file.name != keep:
            file.unlink(missing_ok=True)


def _is_ours(status: os.stat_result) -> bool:
    """A file that only this user (or root) can have written."""
    mine = status.st_uid in {0, os.geteuid()}
    return mine and not status.st_mode & 0o022


def _seal(key: str, body: Any) -> str:
    return hashlib.sha256(f"{key}|{canonical(body)}".encode()).hexdigest()
