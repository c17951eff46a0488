"""Which form of the core runs, and which code and lock file this is.

Lives here: the build stamp's check, the switch between compiled and interpreted core, and the
hashes that each cycle is stamped with. Must not live here: compiling (scripts/build/core.py) and
anything that imports another part of the package. Imports are kept to what a cold cycle has
loaded anyway.

The core's extension modules lie beside their sources. They are used when the stamp beside them
equals the hash of all sources on disk, and exactly the extensions that it names are there (data
and records have none: their sources run in either form); else all sources run.
`TRADER_INTERPRETED=1` chooses the sources in any case.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from zlib import crc32

CORE = "trader.core"
STAMP = "trader.core._stamp"
SWITCH = "TRADER_INTERPRETED"
PACKAGE_DIR = Path(__file__).parent
REBUILD = "python scripts/build/core.py"
_EXTENSIONS = tuple(EXTENSION_SUFFIXES)
# What an installation of the package is made of; the lock file has a hash of its own.
INSTALLED = (".py", ".pxd", ".pyi", ".yaml", "py.typed", *_EXTENSIONS)


class CoreForm(StrEnum):
    """How the core runs in this process."""

    COMPILED = "compiled"
    NO_EXTENSION = "interpreted (no extension)"
    FORCED = "interpreted (forced)"
    STALE = "interpreted (stale extension)"


_form: CoreForm | None = None
_code = ""


def core_hash(folder: Path) -> str:
    """The build stamp: sha256 over names and bytes of a core's .py and .pxd files, sorted."""
    digest = hashlib.sha256()
    for name in sorted(_names_in(folder)):
        if not name.endswith((".py", ".pxd")):
            continue
        data = _bytes_of(f"{folder}/{name}")
        digest.update(b"%s %d\n" % (name.encode(), len(data)))
        digest.update(data)
    return digest.hexdigest()


def core_form() -> CoreForm:
    """How the core runs; decided once per process, before the first module of it is loaded."""
    global _form  # noqa: PLW0603  one answer per process, asked by the import system
    if _form is None:
        _form = _decide()
        if _form is CoreForm.STALE:
            sys.stderr.write(f"trader: {_STALE}\n")
    return _form


def describe() -> str:
    """`compiled`, or `interpreted (...)` with the reason."""
    return str(core_form())


def notice() -> str | None:
    """One line for people when the core is not compiled though nobody asked for that.

    None when compiled or forced, and when stale: that was said on stderr already.
    """
    if core_form() is CoreForm.NO_EXTENSION:
        return f"the core runs interpreted: slower, equal results; to compile it: {REBUILD}"
    return None


def code_hash() -> str:
    """`tree_hash` of the installed package as it was when first asked: what this process runs."""
    global _code  # noqa: PLW0603  asked by several parts of one process, which runs one code
    if not _code:
        _code = tree_hash(PACKAGE_DIR)
    return _code


def tree_hash(folder: Path) -> str:
    """sha256 over the relative names and bytes of every installed file below a folder: sources,
    data, and of extension modules their CRC-32, which any one changed byte changes too (a cold
    cycle reads megabytes of them, and it takes a fifth of the time); not bytecode, and not what
    tools leave behind."""
    digest = hashlib.sha256()
    for name in sorted(_source_names(folder)):
        data = _bytes_of(f"{folder}/{name}")
        digest.update(b"%s %d\n" % (name.encode(), len(data)))
        digest.update(b"%08x" % crc32(data) if name.endswith(_EXTENSIONS) else data)
    return digest.hexdigest()


def lock_hash() -> str:
    """sha256 of the run-time lock file that this package was released with."""
    return hashlib.sha256((PACKAGE_DIR / "requirements.lock").read_bytes()).hexdigest()


def install() -> None:
    """Put the core's finder in front of the import system; `trader` does so when imported."""
    if not any(isinstance(finder, CoreFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, CoreFinder())


class CoreFinder:
    """Finds modules of the core as sources when the compiled form must not be used."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """The source's spec, or None: the import system then prefers the extension."""
        del target
        if not fullname.startswith("trader.core.") or fullname == STAMP or path is None:
            return None
        if core_form() is CoreForm.COMPILED:
            return None
        source = f"{path[0]}/{fullname.rpartition('.')[2]}.py"
        if not os.path.isfile(source):  # noqa: PTH113  on the path of each cold start
            return None
        loader = SourceFileLoader(fullname, source)
        return spec_from_file_location(fullname, source, loader=loader)


_STALE = f"compiled core is stale (sources changed); running interpreted, rebuild with {REBUILD}"


def _decide() -> CoreForm:
    if os.environ.get(SWITCH, "") not in ("", "0"):
        return CoreForm.FORCED
    folder = PACKAGE_DIR / "core"
    names = _names_in(folder)
    suffix = _suffix_of_stamp(names)
    if suffix is None:
        return CoreForm.NO_EXTENSION
    extensions = {name[: -len(suffix)] for name in names if name.endswith(suffix)}
    sources, modules = _stamped()
    if extensions != modules | {"_stamp"} or sources != core_hash(folder):
        return CoreForm.STALE
    return CoreForm.COMPILED


def _names_in(folder: Path) -> list[str]:
    return os.listdir(folder)  # noqa: PTH208  names are all that is wanted, on each cold start


def _suffix_of_stamp(names: list[str]) -> str | None:
    present = set(names)
    return next((end for end in EXTENSION_SUFFIXES if "_stamp" + end in present), None)


def _stamped() -> tuple[str, set[str]]:
    """The hash and the modules that the stamp tells; ("", nothing) when it cannot be loaded."""
    try:
        stamp = importlib.import_module(STAMP)
        return str(stamp.SOURCES), set(str(stamp.MODULES).split())
    except (ImportError, AttributeError):
        return "", set()


def _bytes_of(path: str) -> bytes:
    """A whole file. Each cold start reads hundreds: a stream for each would cost half of it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        data = os.read(descriptor, size + 1)
        while len(data) != size:  # it is being written to, or is larger than one call reads
            size = len(data)
            data += os.read(descriptor, 1 << 20)
    finally:
        os.close(descriptor)
    return data


def _source_names(root: Path) -> list[str]:
    names: list[str] = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != "__pycache__" and name[0] != "."]
        base = os.path.relpath(folder, root)
        prefix = "" if base == "." else base.replace(os.sep, "/") + "/"
        names += [prefix + name for name in files if name.endswith(INSTALLED)]
    return names
