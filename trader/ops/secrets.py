"""Credentials: where keys come from, and keeping them out of everything that is written.

Lives here: reading them from files (systemd's credentials folder, or a path named by a variable)
or the environment, and redaction. Testnet and live have names of their own and never fall back to
each other. Must not live here: policy files (they never hold a secret), and any use of a key.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from trader.errors import UsageError

MODES = ("testnet", "live")
NAMES = ("KEY", "SECRET")
HIDDEN = "[hidden]"
_SIZE_MAX = 65_536


class Credentials:
    """The values of one mode by name (`KEY`, `SECRET`); nothing prints, compares or pickles them.

    Attributes:
        mode: `testnet` or `live`. sources: by name, where each value was found.
    """

    __slots__ = ("_values", "mode", "sources")

    def __init__(self, mode: str, values: Mapping[str, str], sources: Mapping[str, str]) -> None:
        """For `load_credentials`."""
        self.mode = mode
        self.sources = dict(sources)
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        """One value; KeyError when it was not asked for."""
        return self._values[name]

    def values(self) -> tuple[str, ...]:
        """Every value: what must never be written."""
        return tuple(self._values.values())

    def __repr__(self) -> str:
        """Names only."""
        return f"Credentials(mode={self.mode!r}, names={sorted(self._values)})"

    def __reduce__(self) -> NoReturn:
        """Refused: a pickle would be a copy outside our care."""
        raise TypeError("credentials are not pickled")


def load_credentials(
    mode: str,
    places: Mapping[str, tuple[str, str]],
    env: Mapping[str, str],
    credentials_dir: Path | None = None,
) -> Credentials:
    """The credentials of a mode; `places`: by name (`KEY`, `SECRET`), its variable and its file.

    Each is looked for as a file named like the variable in `credentials_dir` (systemd's
    $CREDENTIALS_DIRECTORY), in its own file, in the file that `<variable>_FILE` names, and as the
    variable itself; the first that is declared counts. Raises UsageError naming all that are
    missing, a variable of the other mode, a file that others may read, or a value that cannot be
    one; never showing a value.
    """
    if mode not in MODES:
        raise UsageError(f"mode {mode} has no credentials", f"only {' and '.join(MODES)} have")
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    missing: list[str] = []
    for name, (variable, file) in places.items():
        _refuse_other_mode(mode, variable)
        found = _find(variable, file, env, credentials_dir)
        if found is None:
            missing.append(variable or name)
        else:
            values[name], sources[name] = found
    if missing:
        raise UsageError(
            f"no credentials for mode {mode}: {', '.join(missing)}",
            "set them in the environment, or as files (each NAME, or its path in NAME_FILE)",
        )
    return Credentials(mode, values, sources)


def default_places(mode: str) -> dict[str, tuple[str, str]]:
    """Where credentials are looked for when nothing else is said: `TRADER_<MODE>_<NAME>`."""
    return {name: (f"TRADER_{mode.upper()}_{name}", "") for name in NAMES}


def redact(text: str, credentials: Credentials | None) -> str:
    """The text with every credential, plain or as part of a URL, replaced."""
    for value in credentials.values() if credentials is not None else ():
        for form in (value, quote(value, safe=""), quote(value)):
            text = text.replace(form, HIDDEN)
    return text


def _refuse_other_mode(mode: str, variable: str) -> None:
    for other in MODES:
        if other != mode and other.upper() in variable.upper().split("_"):
            raise UsageError(
                f"mode {mode} is told to use {variable}, a name of mode {other}",
                "keep the keys of testnet and live apart",
            )


def _find(
    variable: str, file: str, env: Mapping[str, str], credentials_dir: Path | None
) -> tuple[str, str] | None:
    paths = [Path(file)] if file else []
    if variable and credentials_dir is not None and (credentials_dir / variable).exists():
        paths.insert(0, credentials_dir / variable)
    named = env.get(f"{variable}_FILE", "") if variable else ""
    if named:
        paths.append(Path(named))
    if paths:
        return _checked(_read(paths[0], variable), str(paths[0])), str(paths[0])
    value = env.get(variable, "").strip() if variable else ""
    return (_checked(value, f"variable {variable}"), "environment") if value else None


def _read(path: Path, variable: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            about = os.fstat(file.fileno())
            data = file.read(_SIZE_MAX)
    except OSError as error:
        raise UsageError(
            f"the file {path} for {variable} cannot be read: {error.strerror}",
            "make it readable for the user that runs trader",
        ) from error
    if stat.S_IMODE(about.st_mode) & 0o007:
        raise UsageError(f"every user may read the file {path}", f"run `chmod o= {path}`")
    try:
        return data.decode("ascii").strip()
    except UnicodeDecodeError:
        raise UsageError(
            f"the file {path} for {variable} is not plain ASCII text",
            "write the bare value into it",
        ) from None


def _checked(value: str, where: str) -> str:
    if not value:
        raise UsageError(f"{where} is empty", "write the bare value into it")
    if value.startswith("-----BEGIN ") and value.replace("\n", "").isprintable():
        return value  # a private key in PEM has lines
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise UsageError(f"{where} holds blanks or control characters", "write the bare value only")
    return value
