"""Compiles the core ahead of time: every trader/core/*.py, in place, beside its source.

Lives here: which files, which flags, what is up to date, and the stamp that goes in last. Run it
(`just build`) after an edit of the core; the packaging backend calls `build` too. The extension is
optional: without Cython, a C compiler or Python's headers it says so in one line, removes what it
cannot renew, and the same files run interpreted. Must not live here: packaging.

All or nothing: modules of different ages never lie together under a valid stamp, because the stamp
is removed first and written last.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "trader.core"
# Where the set-up keeps build tools, so that they are not part of the installed environment.
TOOLS = ROOT / "build" / "tools"
STAMP = "_stamp"
# -ffp-contract=off: a fused multiply-add changes indicator values on ARM; never -ffast-math.
# -fwrapv: integer overflow stays defined, as in the interpreter's own build.
COMPILE_FLAGS = ("-fwrapv", "-ffp-contract=off", "-fPIC", "-DNDEBUG", "-w")
# Typed modules earn -O2; the others are calls into the interpreter, where -O1 is as fast to run
# and takes two thirds of the time to compile.
OPTIMISE_TYPED = "-O2"
OPTIMISE_OTHER = "-O1"
# Annotations are for people and pyright: C types come from the .pxd files alone, else `x: float`
# would turn an int into a float in the compiled form only.
DIRECTIVES = {"language_level": 3, "embedsignature": False, "annotation_typing": False}


class CannotCompile(Exception):
    """No extension can be made here; the message is the one line that says why."""


@dataclass(frozen=True)
class Layout:
    """Where sources, results and intermediate files of one checkout are.

    Attributes:
        root: the folder that holds `trader/`.
        work: intermediate files of this interpreter's ABI (kept, so that a rebuild is quick).
        suffix: what extension modules of this interpreter end with.

    What is compiled is a copy of the sources under `work`, and the stamp is that copy's hash: a
    file saved during the build can make the result stale, never wrong.
    """

    root: Path
    work: Path
    suffix: str

    @property
    def core(self) -> Path:
        """The core's sources, and where its extension modules go."""
        return self.root / "trader" / "core"

    @property
    def copied(self) -> Path:
        """The copy that is compiled."""
        return self.work / "src" / "trader" / "core"

    def extension(self, name: str) -> Path:
        """The compiled module of `name`, beside its source."""
        return self.core / f"{name}{self.suffix}"


def layout_of(root: Path) -> Layout:
    """The layout of a checkout for the running interpreter."""
    suffix = str(sysconfig.get_config_var("EXT_SUFFIX"))
    return Layout(root, root / "build" / "core" / suffix.strip("."), suffix)


def stamp_function(root: Path) -> Callable[[Path], str]:
    """`trader.build.core_hash` of the checkout, loaded alone: one definition of the stamp."""
    spec = importlib.util.spec_from_file_location("_trader_build", root / "trader" / "build.py")
    if spec is None or spec.loader is None:
        raise CannotCompile("trader/build.py cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.core_hash


def copy_sources(layout: Layout) -> list[str]:
    """Take the core's sources as they are now; the names of the modules to compile."""
    shutil.rmtree(layout.copied, ignore_errors=True)
    layout.copied.mkdir(parents=True)
    (layout.copied.parent / "__init__.py").touch()
    for path in [*layout.core.glob("*.py"), *layout.core.glob("*.pxd")]:
        shutil.copyfile(path, layout.copied / path.name)
    return sorted(path.stem for path in layout.copied.glob("*.py") if path.stem != "__init__")


def check_tools() -> list[str]:
    """The compiler's command words; CannotCompile names what is missing."""
    if TOOLS.is_dir() and str(TOOLS) not in sys.path:
        sys.path.append(str(TOOLS))
    if importlib.util.find_spec("Cython") is None:
        raise CannotCompile("Cython is not installed")
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    found = shutil.which(compiler[0]) or shutil.which("cc")
    if found is None:
        raise CannotCompile(f"no C compiler ({compiler[0]})")
    headers = Path(sysconfig.get_path("include")) / "Python.h"
    if not headers.is_file():
        raise CannotCompile("no Python headers (on Debian: apt-get install python3-dev)")
    return [found, *compiler[1:]]


def keys_of(layout: Layout, names: list[str], compiler: list[str]) -> dict[str, str]:
    """What each module's result depends on: source, every .pxd, compiler, flags, Cython."""
    import Cython

    shared = hashlib.sha256(repr((compiler, COMPILE_FLAGS, DIRECTIVES)).encode())
    shared.update(f"{Cython.__version__} {sys.version} {layout.suffix}".encode())
    shared.update(Path(__file__).read_bytes())
    for path in sorted(layout.copied.glob("*.pxd")):
        shared.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    keys: dict[str, str] = {}
    for name in names:
        own = shared.copy()
        own.update((layout.copied / f"{name}.py").read_bytes())
        keys[name] = own.hexdigest()
    return keys


def is_fresh(layout: Layout, name: str, key: str) -> bool:
    """Whether the module in the work folder was made from exactly these inputs."""
    note = layout.work / f"{name}.key"
    made = layout.work / f"{name}{layout.suffix}"
    return made.is_file() and note.is_file() and note.read_text(encoding="ascii") == key


def link_command(compiler: list[str]) -> list[str]:
    """Words that turn one C file into a loadable module on this platform."""
    if sys.platform == "darwin":
        return [*compiler, "-bundle", "-undefined", "dynamic_lookup"]
    return [*compiler, "-shared"]


def compile_module(layout: Layout, compiler: list[str], name: str, source: str, key: str) -> str:
    """One source to one extension in the work folder; "" or the reason why not.

    `source` is relative to the copied tree, so that no path of this machine gets into the result.
    The key is written last, so that an interrupted build is simply done again.
    """
    from Cython.Compiler import Errors
    from Cython.Compiler.Errors import CompileError
    from Cython.Compiler.Main import CompilationOptions, compile_single, default_options

    c_file = layout.work / f"{name}.c"
    made = layout.work / f"{name}{layout.suffix}"
    note = layout.work / f"{name}.key"
    note.unlink(missing_ok=True)
    # A .pxd that asks for inlining is warned about; here it is meant: a call copies memoryviews.
    Errors.LEVEL = 2
    options = CompilationOptions(
        default_options, output_file=str(c_file), compiler_directives=DIRECTIVES, include_path=["."]
    )
    os.chdir(layout.work / "src")
    try:
        result = compile_single(source, options, full_module_name=f"{PACKAGE}.{name}")
    except CompileError as error:
        return f"{name}: {error}"
    if result.num_errors or not c_file.is_file():
        return f"{name}: Cython reported {result.num_errors} errors"
    headers = f"-I{sysconfig.get_path('include')}"
    typed = (layout.copied / f"{name}.pxd").is_file()
    flags = [OPTIMISE_TYPED if typed else OPTIMISE_OTHER, *COMPILE_FLAGS]
    words = [*link_command(compiler), *flags, headers, str(c_file), "-o", str(made)]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        return f"{name}: {ran.stderr.strip()[-400:]}"
    note.write_text(key, encoding="ascii")
    return ""


def compile_all(layout: Layout, compiler: list[str], keys: dict[str, str]) -> int:
    """Compile what is not fresh, on every processor; how many were compiled."""
    due = [name for name, key in keys.items() if not is_fresh(layout, name, key)]
    if not due:
        return 0
    # The longest files first: the last worker then has little left to do.
    due.sort(key=lambda name: -(layout.copied / f"{name}.py").stat().st_size)
    work = partial(compile_module, layout, compiler)
    sources = [f"trader/core/{name}.py" for name in due]
    with ProcessPoolExecutor(max_workers=min(len(due), os.cpu_count() or 1)) as pool:
        failures = [why for why in pool.map(work, due, sources, [keys[n] for n in due]) if why]
    if failures:
        raise CannotCompile("; ".join(failures))
    return len(due)


def compile_stamp(layout: Layout, compiler: list[str], stamp: str) -> None:
    """The stamp's own module: it exists only compiled, so that it says what was compiled."""
    if is_fresh(layout, STAMP, stamp):
        return
    source = f"trader/core/{STAMP}.pyx"
    (layout.work / "src" / source).write_text(f'SOURCES = "{stamp}"\n', encoding="ascii")
    with ProcessPoolExecutor(max_workers=1) as pool:
        if why := pool.submit(compile_module, layout, compiler, STAMP, source, stamp).result():
            raise CannotCompile(why)


def install(layout: Layout, names: list[str]) -> int:
    """Copy new results beside the sources by rename; the stamp goes first and comes last."""
    changed = [name for name in names if differs(layout, name)]
    if changed or differs(layout, STAMP):
        layout.extension(STAMP).unlink(missing_ok=True)
    wanted = {layout.extension(name) for name in [*names, STAMP]}
    for path in set(layout.core.glob(f"*{layout.suffix}")) - wanted:
        path.unlink()
    for name in [*changed, STAMP]:
        fresh = layout.extension(name).with_suffix(".new")
        shutil.copy2(layout.work / f"{name}{layout.suffix}", fresh)
        fresh.replace(layout.extension(name))
    return len(changed)


def differs(layout: Layout, name: str) -> bool:
    """Whether the installed module is not the one in the work folder."""
    there = layout.extension(name)
    made = layout.work / f"{name}{layout.suffix}"
    return not there.is_file() or there.read_bytes() != made.read_bytes()


def remove(layout: Layout) -> None:
    """Take away this interpreter's extensions, the stamp first."""
    layout.extension(STAMP).unlink(missing_ok=True)
    for path in layout.core.glob(f"*{layout.suffix}"):
        path.unlink()


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """One build at a time per checkout and ABI."""
    layout.work.mkdir(parents=True, exist_ok=True)
    with (layout.work / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def build(root: Path = ROOT) -> str:
    """Bring the compiled core up to date; one line that says what was done, never an error."""
    layout = layout_of(root)
    started = time.monotonic()
    with locked(layout):
        try:
            compiler = check_tools()
            names = copy_sources(layout)
            stamp = stamp_function(root)(layout.copied)
            compiled = compile_all(layout, compiler, keys_of(layout, names, compiler))
            compile_stamp(layout, compiler, stamp)
            install(layout, names)
        except CannotCompile as why:
            remove(layout)
            return f"the core runs interpreted (slower, equal results): {why}"
    seconds = time.monotonic() - started
    return f"core: {len(names)} modules compiled ahead of time, {compiled} now, {seconds:.1f} s"


def main(argv: list[str] | None = None) -> int:
    """Build and print the line; with `--require`, fail when the core is not compiled."""
    parser = argparse.ArgumentParser(description="Compile trader/core ahead of time.")
    parser.add_argument("--require", action="store_true", help="exit 1 if it stays interpreted")
    parser.add_argument("--clean", action="store_true", help="only remove what was compiled")
    arguments = parser.parse_args(argv)
    if arguments.clean:
        remove(layout_of(ROOT))
        return 0
    line = build()
    print(line, file=sys.stderr)
    return 1 if arguments.require and not line.startswith("core:") else 0


if __name__ == "__main__":
    sys.exit(main())
