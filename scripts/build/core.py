"""Compiles the core ahead of time: trader/core/*.py but for `PLAIN`, each beside its source.

Lives here: which files, which flags, what is up to date, and the stamp that goes in last. Run it
(`just build`) after an edit of the core; the packaging backend calls `build` too. The extension is
optional: without Cython, a C compiler or Python's headers it says so in one line, removes what it
cannot renew, and the same files run interpreted. Must not live here: packaging.

All or nothing: modules of different ages never lie together under a valid stamp, because the stamp
is removed first and written last. It covers all sources and says which of them have an extension.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import re
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
# What every Cython module would carry a copy of (memoryviews, functions, classes), made once.
SHARED = "_shared"
# What Cython calls small code runs once, at import; gcc need not optimise it (a fifth of its time).
RUNS_ONCE = '-DCYTHON_SMALL_CODE=__attribute__((optimize("O0")))'
# -ffp-contract=off: a fused multiply-add changes indicator values on ARM; never -ffast-math.
# -fwrapv: integer overflow stays defined, as in the interpreter's own build.
COMPILE_FLAGS = ("-fwrapv", "-ffp-contract=off", "-fPIC", "-DNDEBUG", "-w", RUNS_ONCE)
# Typed modules earn -O2; the others are calls into the interpreter, where -O1 is as fast to run
# and takes two thirds of the time to compile. At -O0 they are no faster than interpreted.
OPTIMISE_TYPED = "-O2"
OPTIMISE_OTHER = "-O1"
# Annotations are for people and pyright: C types come from the .pxd files alone, else `x: float`
# would turn an int into a float in the compiled form only.
DIRECTIVES = {"language_level": 3, "embedsignature": False, "annotation_typing": False}


# Modules without an extension, and why. A module is compiled unless it is here: compiling costs a
# second of CPU each, and loading an extension costs a cold cycle more than loading bytecode.
PLAIN = {
    "approval": "records",
    "actions": "records",
    "shrunk": "once for an entry whose first part filled while it was moved",
    "children": "a sum over the attempts of one leg",
    "resting": "looks at what rests, a few orders a decision",
    "protect": "looks at the stops of what is held, a few a decision",
    "upkeep": "once for each entry at rest",
    "books": "records",
    "days": "records, and a few numbers a decision",
    "waits": "a few numbers for each order that ends",
    "account_facts": "a few numbers for each order sent",
    "regrid": "only when a venue changes an instrument's rules",
    "standings": "once a decision",
    "quality": "once a day for each strategy",
    "breaker": "a comparison for each entry",
    "daily": "once when windows are asked for",
    "messages": "a count once a decision",
    "controls": "a table",
    "limits": "records",
    "preview": "runs once, for a person",
    "parameters": "records",
    "model": "records",
    "snapshot": "records",
    "reasons": "a table",
    "catalogue_market": "a table: the indicators' work is in typed modules",
    "catalogue_prices": "a table: the indicators' work is in typed modules",
    "indicator_table": "a table",
    "identity": "one hash for each order",
    "evidence": "runs when the venue is reconciled, not in a back-test",
    "access": "a look-up in a table made once a decision",
    "marks": "once a decision",
    "trim": "once a decision",
    "asked": "only when a human asks",
    "dust": "once a decision",
    "exit_orders": "once for each exit",
    "exit_prices": "once for each entry",
    "exit_sizes": "once for each exit",
    "steps": "text of a few numbers, once for each position",
    "measures": "once for each candidate when the members are chosen",
    "membership": "once for each candidate when the members are chosen",
    "regime": "once when the regime is due; its rules run in typed modules",
    "universe": "schedules: a comparison a decision",
    "universe_windows": "once when windows are asked for",
    "kelly": "once for an entry that is sized by it",
    "parities": "once a decision: its loops are in typed modules",
    "size_windows": "once when windows are asked for",
    "fast": "once a bar that the reference does",
    "lane_orders": "facts, made when somebody asks for them",
    "lane_state": "once a bar that the reference does",
    "lane_views": "made once a run",
    "simulate": "the slow back-test: its time is that of what it calls",
    "market": "the slow back-test: looks bars up, once for each order",
    "fees": "the slow back-test: once for each fill",
    "closing": "once for each position that the end of the bars leaves open",
    "strategy": "views of columns that typed modules compute",
}
# The stamp needs no Cython: one module with two texts.
STAMP_SOURCE = """\
#include <Python.h>
static int fill(PyObject *module) {{
    if (PyModule_AddStringConstant(module, "SOURCES", "{sources}") < 0) return -1;
    return PyModule_AddStringConstant(module, "MODULES", "{modules}");
}}
static PyModuleDef_Slot slots[] = {{{{Py_mod_exec, fill}}, {{0, NULL}}}};
static PyModuleDef stamp = {{PyModuleDef_HEAD_INIT, "{name}", NULL, 0, NULL, slots}};
PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModuleDef_Init(&stamp); }}
"""


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
    sources = {path.stem for path in layout.copied.glob("*.py")}
    return sorted(sources - {"__init__"} - set(PLAIN))


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
    """What each module's result depends on: source, types, compiler, flags, Cython."""
    import Cython

    common = hashlib.sha256(repr((compiler, COMPILE_FLAGS, DIRECTIVES)).encode())
    common.update(f"{Cython.__version__} {sys.version} {layout.suffix}".encode())
    common.update(Path(__file__).read_bytes())
    types = {path.stem: path.read_bytes() for path in layout.copied.glob("*.pxd")}
    keys = {SHARED: common.hexdigest()}
    for name in names:
        own = common.copy()
        own.update((layout.copied / f"{name}.py").read_bytes())
        for used in sorted(types_used(name, types)):
            own.update(b"\0%s %d\n" % (used.encode(), len(types[used])) + types[used])
        keys[name] = own.hexdigest()
    return keys


def types_used(name: str, types: dict[str, bytes]) -> set[str]:
    """Which .pxd files a module is compiled with: its own and whatever those cimport.

    Any word that names a .pxd counts as a cimport of it: too many are harmless, one less is not.
    """
    used, found = set[str](), {name} & types.keys()
    while found:
        used |= found
        words = {word.decode() for one in found for word in re.findall(rb"\w+", types[one])}
        found = (words & types.keys()) - used
    return used


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


def translate(layout: Layout, name: str) -> str:
    """One source to C in the work folder; "" or the reason why not.

    The source is named relative to the copied tree, so that no path of this machine gets into the
    result.
    """
    from Cython.Build.SharedModule import generate_shared_module
    from Cython.Compiler import Errors
    from Cython.Compiler.Errors import CompileError
    from Cython.Compiler.Main import CompilationOptions, compile_single, default_options

    c_file = str(layout.work / f"{name}.c")
    # A .pxd that asks for inlining is warned about; here it is meant: a call copies memoryviews.
    Errors.LEVEL = 2
    os.chdir(layout.work / "src")
    try:
        if name == SHARED:
            options = CompilationOptions(default_options, shared_c_file_path=c_file)
            failed, _ = generate_shared_module(options)
            return f"{name}: {failed}" if failed else ""
        options = CompilationOptions(
            default_options,
            output_file=c_file,
            compiler_directives=DIRECTIVES,
            include_path=["."],
            shared_utility_qualified_name=f"{PACKAGE}.{SHARED}",
        )
        source = f"trader/core/{name}.py"
        result = compile_single(source, options, full_module_name=f"{PACKAGE}.{name}")
    except CompileError as error:
        return f"{name}: {error}"
    return f"{name}: Cython reported {result.num_errors} errors" if result.num_errors else ""


def compile_c(layout: Layout, compiler: list[str], name: str, key: str) -> str:
    """One C file to an extension in the work folder; "" or the reason why not.

    The key is written last, so that an interrupted build is simply done again.
    """
    made = layout.work / f"{name}{layout.suffix}"
    headers = f"-I{sysconfig.get_path('include')}"
    typed = (layout.copied / f"{name}.pxd").is_file()
    flags = [OPTIMISE_TYPED if typed else OPTIMISE_OTHER, *COMPILE_FLAGS]
    source = layout.work / f"{name}.c"
    words = [*link_command(compiler), *flags, headers, str(source), "-o", str(made)]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        return f"{name}: {ran.stderr.strip()[-400:]}"
    (layout.work / f"{name}.key").write_text(key, encoding="ascii")
    return ""


def compile_module(layout: Layout, compiler: list[str], name: str, key: str) -> str:
    """One source to one extension in the work folder; "" or the reason why not."""
    (layout.work / f"{name}.key").unlink(missing_ok=True)
    return translate(layout, name) or compile_c(layout, compiler, name, key)


def compile_all(layout: Layout, compiler: list[str], keys: dict[str, str]) -> int:
    """Compile what is not fresh, on every processor; how many were compiled."""
    due = [name for name, key in keys.items() if not is_fresh(layout, name, key)]
    if not due:
        return 0
    # The longest first: the last worker then has little left to do.
    due.sort(key=lambda name: -weight(layout, name))
    work = partial(compile_module, layout, compiler)
    with ProcessPoolExecutor(max_workers=min(len(due), os.cpu_count() or 1)) as pool:
        failures = [why for why in pool.map(work, due, [keys[name] for name in due]) if why]
    if failures:
        raise CannotCompile("; ".join(failures))
    return len(due)


def weight(layout: Layout, name: str) -> int:
    """About how long a module takes to compile, in bytes of untyped source."""
    source = layout.copied / f"{name}.py"
    if not source.is_file():
        return 20_000
    return source.stat().st_size * (3 if source.with_suffix(".pxd").is_file() else 1)


def compile_stamp(layout: Layout, compiler: list[str], sources: str, names: list[str]) -> None:
    """The stamp's own module: it exists only compiled, so that it says what was compiled."""
    text = STAMP_SOURCE.format(name=STAMP, sources=sources, modules=" ".join(names))
    key = hashlib.sha256(text.encode()).hexdigest()
    if is_fresh(layout, STAMP, key):
        return
    (layout.work / f"{STAMP}.c").write_text(text, encoding="ascii")
    if why := compile_c(layout, compiler, STAMP, key):
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
            keys = keys_of(layout, copy_sources(layout), compiler)
            compiled = compile_all(layout, compiler, keys)
            names = sorted(keys)
            compile_stamp(layout, compiler, stamp_function(root)(layout.copied), names)
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
