"""Makes `.venv` in the checkout ready, and does nothing when it is.

Lives here: the virtual environment, the locked packages, the compiled core, bytecode. Standard
library only, because it runs before anything is installed. Must not live here: finding a Python
(the `setup` script beside this) and checks.

Two set-ups at once wait for each other. A set-up that was interrupted leaves its marker and is
done again from the start. `runtime` is what `trader` needs; `dev` adds what the checks need, in
the same place. Build tools stay outside of `.venv`, so that they do not count as installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
DONE = VENV / "trader-setup.json"
INCOMPLETE = VENV / "trader-setup.incomplete"
TOOLS = ROOT / "build" / "tools"
CORE_SCRIPT = ROOT / "scripts" / "build" / "core.py"
LOCKS = {"runtime": "requirements.lock", "dev": "requirements-dev.lock"}
# A third of ccxt that `trader` does not use, and what only installs: no bytecode is made of it.
NEVER_IMPORTED = r"/(ccxt/(async_support|pro|test)|pip|setuptools|pkg_resources|_distutils_hack)/"
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet")
PIP_INSTALL = (*PIP, "install", "--no-compile", "--no-warn-script-location", "--retries", "5")


def say(text: str) -> None:
    """One line of progress on stderr."""
    print(f"set-up: {text}", file=sys.stderr, flush=True)


def fail(text: str) -> NoReturn:
    """End with one sentence."""
    say(text)
    sys.exit(1)


def digest_of(paths: list[Path], *words: str) -> str:
    """sha256 over names and bytes of files, and some words."""
    digest = hashlib.sha256(repr(words).encode())
    for path in paths:
        data = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def packages_key(level: str) -> str:
    """What the installed packages depend on."""
    names = (LOCKS[level], "requirements-build.lock", "pyproject.toml", "scripts/build/backend.py")
    return digest_of([ROOT / name for name in names], str(ROOT))


def interpreter() -> str:
    """Which Python `.venv` is made of; not the one that runs this."""
    settings = VENV / "pyvenv.cfg"
    return settings.read_text(encoding="utf-8") if settings.is_file() else ""


def core_key() -> str:
    """What the compiled core depends on."""
    core = ROOT / "trader" / "core"
    paths = [*core.glob("*.py"), *core.glob("*.pxd"), ROOT / "scripts" / "build" / "core.py"]
    return digest_of(sorted(paths), interpreter())


def core_is_ready() -> bool:
    """Whether the core is compiled; where it was not, a compiler may have come since."""
    return done().get("core") == core_key() and any((ROOT / "trader/core").glob("_stamp.*"))


def done() -> dict[str, str]:
    """What an earlier set-up noted; nothing when it did not finish or its Python is gone."""
    if INCOMPLETE.exists() or not PYTHON.exists():
        return {}
    try:
        noted = json.loads(DONE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def packages_noted(level: str) -> dict[str, str]:
    """The notes of installed packages that are still true, if they serve `level`; else nothing."""
    noted = done()
    fresh = {name: noted[name] for name in LOCKS if noted.get(name) == packages_key(name)}
    return fresh if level in fresh else {}


def is_ready(level: str) -> bool:
    """Whether nothing has to be done. A `dev` set-up serves `runtime` too."""
    return bool(packages_noted(level)) and core_is_ready()


def run(*words: str | Path, **environment: str) -> None:
    """Run one program of the environment; ends the set-up when it fails."""
    command = [str(word) for word in words]
    full = {**os.environ, **environment}
    ended = subprocess.run(command, env=full, stdin=subprocess.DEVNULL, stdout=2, check=False)
    if ended.returncode != 0:
        fail(f"failed (exit {ended.returncode}): {' '.join(command[:8])} ...; run it again")


def ensure_venv_module() -> None:
    """On Debian `venv` is a package of its own: install it when root, else say how."""
    if has_ensurepip():
        return
    package = f"python3.{sys.version_info.minor}-venv"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        fail(f"Python's venv is missing: apt-get install {package}, then run this again")
    say(f"installing {package}")
    run("apt-get", "update", "-qq", DEBIAN_FRONTEND="noninteractive")
    run("apt-get", "install", "-y", "-qq", package, DEBIAN_FRONTEND="noninteractive")
    if not has_ensurepip():
        fail(f"Python's venv is still missing after apt-get install {package}")


def has_ensurepip() -> bool:
    """Whether this Python can make a virtual environment with pip in it."""
    return works(sys.executable, "-I", "-c", "import ensurepip, venv")


def works(*words: str | Path) -> bool:
    """Whether a command ends well; its output is not shown."""
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def make_venv() -> None:
    """A new `.venv`, or the one there when it is whole."""
    if done() and works(PYTHON, "-m", "pip", "--version"):
        INCOMPLETE.touch()
        return
    ensure_venv_module()
    say(f"making .venv with Python {sys.version.split()[0]}")
    if VENV.exists():
        shutil.rmtree(VENV)
    VENV.mkdir()
    INCOMPLETE.touch()
    run(sys.executable, "-I", "-m", "venv", VENV)


def install_tools() -> None:
    """What building needs, apart from `.venv`."""
    key = digest_of([ROOT / "requirements-build.lock"], interpreter())
    note = TOOLS / "done"
    if note.is_file() and note.read_text(encoding="ascii") == key:
        return
    shutil.rmtree(TOOLS, ignore_errors=True)
    run(PYTHON, *PIP_INSTALL, "--require-hashes", "--no-deps", "--target", TOOLS,
        "-r", ROOT / "requirements-build.lock")  # fmt: skip
    note.write_text(key, encoding="ascii")


def install_packages(level: str) -> None:
    """Locked packages with hashes; the core is compiled meanwhile, as it needs none of them."""
    say(f"installing locked packages ({LOCKS[level]}) and compiling the core")
    install_tools()
    compiling = subprocess.Popen([PYTHON, CORE_SCRIPT], stdin=subprocess.DEVNULL)
    try:
        run(PYTHON, *PIP_INSTALL, "--require-hashes", "--no-deps", "-r", ROOT / LOCKS[level])
    finally:
        compiling.wait()
    install_checkout()
    compile_bytecode()


def install_checkout() -> None:
    """The checkout, editable: `trader` runs the files that are here."""
    run(PYTHON, *PIP_INSTALL, "--no-build-isolation", "--no-deps", "--no-index",
        "--editable", ROOT, PYTHONPATH=str(TOOLS))  # fmt: skip


def compile_bytecode() -> None:
    """Bytecode now, so that the first cycle does not pay for it."""
    say("compiling bytecode")
    # Some packages ship files of other Python versions: what does not compile is never imported.
    words = [PYTHON, "-m", "compileall", "-q", "-q", "-j", "0", "-x", NEVER_IMPORTED]
    folders = [VENV / "lib", ROOT / "trader"]
    subprocess.run([*words, *folders], stdin=subprocess.DEVNULL, stdout=2, check=False)


def set_up(level: str) -> None:
    """Bring `.venv` up to date; the marker is taken away when all is done."""
    noted = packages_noted(level)
    if noted:
        core = core_key()
        install_tools()
        run(PYTHON, CORE_SCRIPT)
    else:
        make_venv()
        core = core_key()
        install_packages(level)
        levels = LOCKS if level == "dev" else (level,)
        noted = {name: packages_key(name) for name in levels}
    note = DONE.with_suffix(".new")
    note.write_text(json.dumps({**noted, "core": core}), encoding="utf-8")
    note.replace(DONE)
    INCOMPLETE.unlink(missing_ok=True)
    say(f"{VENV.name} is ready")


def main(argv: list[str]) -> int:
    """`environment.py runtime|dev`."""
    if len(argv) != 1 or argv[0] not in LOCKS:
        fail("usage: scripts/build/setup runtime|dev")
    if is_ready(argv[0]):
        return 0
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "setup.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not is_ready(argv[0]):
            set_up(argv[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
