"""Where a policy comes from: folders, files, standard input and the environment, as bytes.

Lives here: the search for the five files and the bounded reading of them. Must not live here: what
they mean; and no yaml, so that a cached policy costs no parser.
"""

from __future__ import annotations

import errno
import hashlib
import os
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path

from trader.policy.problems import Code, PolicyError, problem_of
from trader.policy.regular_files import read_regular
from trader.records import dataclass

SECTIONS = ("app", "policy", "universe", "signals", "strategies")
PROFILES = ("conservative", "aggressive")
PROFILE_FOLDER = Path(__file__).parent / "profiles"
SIZE_BYTES_MAX = 1 << 20
ENV_PREFIX = "TRADER__"
STDIN = "<stdin>"
SYSTEM_FOLDER = Path("/etc/trader")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a source could not be read; `code` is the name of a problem code."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """One text of a policy.

    Attributes:
        label: the file as the user would name it.
        section: which of SECTIONS its keys belong to; "" when its top level names the sections.
        folder: where `strategies/` is looked for, when this source names a strategy.
        data: the bytes; fault: why there are none.
    """

    label: str
    section: str
    folder: str
    data: bytes
    fault: Fault | None = None


def find_sources(
    configs: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: str | None = None,
    system: Path = SYSTEM_FOLDER,
) -> list[Source]:
    """The sources in order of precedence, the last wins.

    `configs` are the values of -c/--config: folders, files, or "-" for the text `stdin`. What they
    name is all that is read; without any, the first of `config/`, `$XDG_CONFIG_HOME/trader` and
    `system` that holds one of the five files is. Raises PolicyError when there is nothing to read.
    """
    if not configs:
        return _default_folder(cwd, env, system)
    sources: list[Source] = []
    for config in configs:
        sources += _named(config, cwd, stdin)
    return sources


def env_overrides(env: Mapping[str, str]) -> list[tuple[str, str]]:
    """The variables that override keys, sorted by name."""
    return sorted((name, text) for name, text in env.items() if name.startswith(ENV_PREFIX))


def profile_bytes(name: str) -> bytes:
    """The text of one of PROFILES, which are part of the package."""
    return (PROFILE_FOLDER / f"{name}.yaml").read_bytes()


def beside(source: Source, file: str, section: str) -> Source:
    """A further file in the folder of a source, which names it."""
    label = posixpath.join(posixpath.dirname(source.label), file)
    return _file(label, section, Path(source.folder) / file, waits=False)


def sha_of_file(path: str) -> str:
    """sha256 of a file that a policy was read from beside its sources, hex; "" when it cannot be
    read now."""
    try:
        return hashlib.sha256(_regular(Path(path))).hexdigest()
    except OSError:
        return ""


def _default_folder(cwd: Path, env: Mapping[str, str], system: Path) -> list[Source]:
    home = env.get("XDG_CONFIG_HOME", "")
    if not home and env.get("HOME", ""):
        home = str(Path(env["HOME"]) / ".config")
    places = [("config", cwd / "config")]
    if home.startswith("/"):
        places.append((f"{home}/trader", Path(home) / "trader"))
    places.append((str(system), system))
    for label, folder in places:
        if any(os.path.lexists(folder / f"{section}.yaml") for section in SECTIONS):
            return _folder(label, folder)
    looked = ", ".join(label for label, _ in places)
    problem = problem_of(
        Code.FOLDER_MISSING,
        "config",
        f"no folder holds app.yaml or any of the other four files (looked in {looked})",
        "run in the folder that has config/, or name it with -c",
    )
    raise PolicyError([problem])


def _named(config: str, cwd: Path, stdin: str | None) -> list[Source]:
    if config == "-":
        if stdin is None:
            problem = problem_of(Code.FILE_UNREADABLE, STDIN, "no text was given for -c -")
            raise PolicyError([problem])
        data = stdin.encode("utf-8", "surrogateescape")[: SIZE_BYTES_MAX + 1]
        return [Source(STDIN, "", str(cwd), data)]
    try:
        path = cwd / config
        if path.is_dir():
            return _folder(config.rstrip("/") or "/", path)
        return [_file(config, "", path)]
    except ValueError:
        fault = Fault(Code.FILE_UNREADABLE.name, "is not a path")
        return [Source(repr(config), "", str(cwd), b"", fault)]


def _folder(label: str, folder: Path) -> list[Source]:
    """The five files of a folder, and a warning for every other YAML file beside them."""
    sources = [
        _file(f"{label}/{section}.yaml", section, folder / f"{section}.yaml", waits=False)
        for section in SECTIONS
    ]
    wanted = {f"{section}.yaml" for section in SECTIONS}
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return sources
    for name in names:
        if name.endswith((".yaml", ".yml")) and name not in wanted and not name.startswith("."):
            hint = "the five files are " + ", ".join(sorted(wanted))
            fault = Fault(Code.FILE_STRAY.name, "is not read", hint)
            sources.append(Source(f"{label}/{name}", "", str(folder), b"", fault))
    return sources


def _file(label: str, section: str, path: Path, *, waits: bool = True) -> Source:
    """One file; a pipe is waited for only when the user named it (`-c <(...)`)."""
    folder = str(path.parent)
    try:
        if waits:
            with path.open("rb") as stream:
                data = stream.read(SIZE_BYTES_MAX + 1)
        else:
            data = _regular(path)
    except FileNotFoundError:
        return Source(label, section, folder, b"", _missing(path, section))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        fault = Fault(Code.FILE_UNREADABLE.name, f"cannot be read: {why}")
        return Source(label, section, folder, b"", fault)
    return Source(label, section, folder, data)


def _regular(path: Path) -> bytes:
    """What a regular file holds, within the bound; raises OSError."""
    found = read_regular(path, SIZE_BYTES_MAX)
    if found is None:
        kind = errno.EISDIR if path.is_dir() else errno.EINVAL
        raise OSError(kind, "is a directory" if path.is_dir() else "not a regular file")
    return found[0]


def _missing(path: Path, section: str) -> Fault:
    hint = "write it, or name a file that has this section with -c" if section else "check -c"
    for other in (path.with_suffix(".yml"), Path(f"{path}.yml"), Path(f"{path}.yaml")):
        if other.exists():
            hint = f"rename {other.name} to {path.name}"
    return Fault(Code.FILE_MISSING.name, "there is no such file", hint)
