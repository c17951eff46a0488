"""Runs the installed command in a pseudo-terminal, as a person would see it."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass

import pytest

from .workspace import Workspace

PATIENCE_S = 40
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9])")


@dataclass
class Seen:
    """What a terminal received. `raw` with escape codes, `text` without."""

    code: int
    raw: str

    @property
    def text(self) -> str:
        """The words alone."""
        return _ESCAPES.sub("", self.raw).replace("\r", "")


def in_terminal(
    workspace: Workspace, *words: str, columns: int = 80, interrupt_at: str = "", **env: str
) -> Seen:
    """Run `trader` in a terminal; press Ctrl-C when `interrupt_at` was seen on it."""
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        pytest.skip(f"this machine gives no terminal: {error}")
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, columns, 0, 0))
    base = {"PATH": os.environ["PATH"], "HOME": str(workspace.folder), "LANG": "C.UTF-8"}
    process = subprocess.Popen(
        [sys.executable, "-m", "trader", *words],
        cwd=workspace.folder,
        env={**base, "TERM": "xterm-256color", **workspace.env, **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    until = time.monotonic() + PATIENCE_S
    raw = b""
    pressed = not interrupt_at
    try:
        while (some := _read(ours, until)) is not None:
            raw += some
            if not pressed and interrupt_at in Seen(0, raw.decode(errors="replace")).text:
                process.send_signal(signal.SIGINT)
                pressed = True
        return Seen(process.wait(PATIENCE_S), raw.decode(errors="replace"))
    finally:
        process.kill()
        os.close(ours)


def _read(ours: int, until: float) -> bytes | None:
    """Some bytes; None at the end. Raises TimeoutError."""
    left = until - time.monotonic()
    if left <= 0 or not select.select([ours], [], [], left)[0]:
        raise TimeoutError("the command did not end in time")
    try:
        return os.read(ours, 65_536) or None
    except OSError as error:
        if error.errno == errno.EIO:
            return None
        raise
