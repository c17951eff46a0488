"""Reading a file whose writers matter: opened once, judged by that descriptor, read within a bound.

Lives here: the one open-judge-read, so that no file can be exchanged between judging and reading.
Must not live here: which owners and rights are acceptable.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

READ_BYTES = 1 << 16


def read_regular(path: Path, bytes_max: int, flags: int = 0) -> tuple[bytes, os.stat_result] | None:
    """At most `bytes_max` + 1 bytes and the status of what was read; None: no regular file.

    Raises OSError. Never waits for the other end of a pipe.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | flags)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        parts: list[bytes] = []
        left = bytes_max + 1
        while left > 0:
            part = os.read(descriptor, min(left, READ_BYTES))
            if not part:
                break
            parts.append(part)
            left -= len(part)
    finally:
        os.close(descriptor)
    return b"".join(parts), status
