"""The compiled core is used only when it was made from the sources that lie beside it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

from trader import build

ROOT = Path(__file__).resolve().parents[2]
SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))
TAKEN = ("trader/__init__.py", "trader/build.py", "scripts/build/core.py")
CORE = ("__init__.py", "money.py", "money.pxd", "reasons.py")
ASK = """
import trader.build
from trader.core import money
kind = "extension" if money.__file__.endswith(".so") else "source"
print(trader.build.describe(), kind, money.mul_div_down(7, 10, 3), sep="|")
"""


def run(root: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a scratch checkout, outside of coverage: its files are not ours."""
    clean = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    clean.pop(build.SWITCH, None)
    return subprocess.run(
        [sys.executable, *words],
        cwd=root,
        env={**clean, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=True,
    )


def ask(root: Path, **environment: str) -> tuple[list[str], str]:
    """[form, kind of file, a result] of a fresh process, and its stderr."""
    ran = run(root, "-c", ASK, **environment)
    return ran.stdout.strip().split("|"), ran.stderr


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with one compiled module of the core and one that has no extension; skipped where
    nothing can be compiled."""
    root = tmp_path_factory.mktemp("checkout")
    for name in (*TAKEN, *(f"trader/core/{name}" for name in CORE)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    line = run(root, "scripts/build/core.py").stderr
    if not line.startswith("core:"):
        pytest.skip(line)
    return root


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """scripts/build/core.py, loaded alone."""
    spec = importlib.util.spec_from_file_location("_core_build", ROOT / "scripts/build/core.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its data classes look their module up.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
    return module


@pytest.fixture
def checkout(compiled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(compiled, tmp_path / "checkout"))


def test_a_fresh_extension_is_used(checkout: Path) -> None:
    assert ask(checkout) == (["compiled", "extension", "23"], "")


def test_a_changed_source_refuses_the_extension_and_says_so_once(checkout: Path) -> None:
    source = checkout / "trader/core/money.py"
    source.write_text(source.read_text() + "\n# changed\n")
    answer, stderr = ask(checkout)
    assert answer == ["interpreted (stale extension)", "source", "23"]
    assert stderr.count("compiled core is stale") == 1
    assert "python scripts/build/core.py" in stderr


def test_a_changed_type_file_refuses_the_extension(checkout: Path) -> None:
    types = checkout / "trader/core/money.pxd"
    types.write_text(types.read_text() + "\n# changed\n")
    assert ask(checkout)[0][:2] == ["interpreted (stale extension)", "source"]


def test_a_source_without_its_extension_refuses_all_of_them(checkout: Path) -> None:
    (checkout / f"trader/core/money{SUFFIX}").unlink()
    assert ask(checkout)[0][:2] == ["interpreted (stale extension)", "source"]


@pytest.mark.parametrize("name", ["reasons", "unknown"])
def test_an_extension_that_the_stamp_does_not_name_refuses_all(checkout: Path, name: str) -> None:
    shutil.copy(checkout / f"trader/core/money{SUFFIX}", checkout / f"trader/core/{name}{SUFFIX}")
    assert ask(checkout)[0][:2] == ["interpreted (stale extension)", "source"]
    run(checkout, "scripts/build/core.py")
    assert ask(checkout)[0][:2] == ["compiled", "extension"]


def test_without_what_the_extensions_share_none_is_used(checkout: Path) -> None:
    (checkout / f"trader/core/_shared{SUFFIX}").unlink()
    assert ask(checkout)[0][:2] == ["interpreted (stale extension)", "source"]


def test_a_module_without_an_extension_runs_beside_the_others_and_is_stamped(
    checkout: Path,
) -> None:
    kind = "from trader.core import money, reasons; print(money.__file__, reasons.__file__)"
    money, reasons = run(checkout, "-c", kind).stdout.split()
    assert money.endswith(".so")
    assert reasons.endswith("reasons.py")
    source = checkout / "trader/core/reasons.py"
    source.write_text(source.read_text() + "\n# changed\n")
    assert ask(checkout)[0][:2] == ["interpreted (stale extension)", "source"]
    assert " 0 now" in run(checkout, "scripts/build/core.py").stderr
    assert ask(checkout)[0][:2] == ["compiled", "extension"]


def test_modules_without_an_extension_exist_and_have_no_types(script: ModuleType) -> None:
    sources = {path.stem for path in (ROOT / "trader/core").glob("*.py")}
    typed = {path.stem for path in (ROOT / "trader/core").glob("*.pxd")}
    assert script.PLAIN
    assert set(script.PLAIN) <= sources - typed


def test_a_module_is_compiled_again_for_the_types_it_uses_only(script: ModuleType) -> None:
    types = {
        "money": b"cdef int x",
        "scale": b"from trader.core.money cimport x",
        "rules": b"from .scale cimport (\n y,\n z)",
        "alone": b"cdef int monetary",
    }
    assert script.types_used("rules", types) == {"rules", "scale", "money"}
    assert script.types_used("alone", types) == {"alone"}
    assert script.types_used("untyped", types) == set()


def test_an_extension_that_cannot_be_loaded_is_refused(checkout: Path) -> None:
    (checkout / f"trader/core/_stamp{SUFFIX}").write_bytes(b"no library")
    assert ask(checkout)[0][:2] == ["interpreted (stale extension)", "source"]


def test_the_switch_chooses_the_sources_beside_a_fresh_extension(checkout: Path) -> None:
    assert ask(checkout, TRADER_INTERPRETED="1") == (["interpreted (forced)", "source", "23"], "")
    assert ask(checkout, TRADER_INTERPRETED="0")[0][0] == "compiled"


def test_without_a_compiler_the_sources_run_and_one_line_says_so(checkout: Path) -> None:
    ran = run(checkout, "scripts/build/core.py", PATH=str(checkout), CC="no-such-compiler")
    assert ran.stderr.count("\n") == 1
    assert "runs interpreted" in ran.stderr
    assert "no C compiler" in ran.stderr
    assert not list(checkout.glob("trader/core/*.so"))
    assert ask(checkout) == (["interpreted (no extension)", "source", "23"], "")


def test_only_what_changed_is_compiled_again(checkout: Path) -> None:
    # The scratch checkout was moved; what was made does not depend on where it lies.
    assert " 0 now" in run(checkout, "scripts/build/core.py").stderr
    source = checkout / "trader/core/money.py"
    source.write_text(source.read_text() + "\n# changed\n")
    assert " 1 now" in run(checkout, "scripts/build/core.py").stderr
    assert ask(checkout)[0][0] == "compiled"


def test_an_extension_whose_source_is_gone_is_taken_away(checkout: Path) -> None:
    left = checkout / f"trader/core/gone{SUFFIX}"
    left.write_bytes(b"left over")
    run(checkout, "scripts/build/core.py")
    assert not left.exists()
    assert ask(checkout)[0][0] == "compiled"


def test_no_path_of_the_machine_gets_into_an_extension(compiled: Path) -> None:
    made = list(compiled.glob("trader/core/*.so"))
    assert sorted(path.name.split(".")[0] for path in made) == ["_shared", "_stamp", "money"]
    assert not [path.name for path in made if bytes(compiled) in path.read_bytes()]


def test_the_stamp_follows_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    first = build.core_hash(tmp_path)
    (tmp_path / "notes.txt").write_text("not a source")
    assert build.core_hash(tmp_path) == first
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert build.core_hash(tmp_path) != first


def test_the_notice_is_for_a_missing_extension_only(monkeypatch: pytest.MonkeyPatch) -> None:
    notices = {}
    for form in build.CoreForm:
        monkeypatch.setattr(build, "_form", form)
        notices[form] = build.notice()
        assert build.describe() == form.value
    assert notices.pop(build.CoreForm.NO_EXTENSION) is not None
    assert set(notices.values()) == {None}


def test_code_and_lock_hash_follow_the_installed_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "a.pxd").write_text("cdef int x")
    (tmp_path / "requirements.lock").write_text("a==1")
    monkeypatch.setattr(build, "PACKAGE_DIR", tmp_path)
    code, lock = build.tree_hash(tmp_path), build.lock_hash()
    (tmp_path / "core" / "a.pxd").write_text("cdef int y")
    (tmp_path / "requirements.lock").write_text("a==2")
    assert build.tree_hash(tmp_path) != code
    assert build.lock_hash() != lock


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package as it stands."""
    copy = tmp_path_factory.mktemp("installed") / "trader"
    shutil.copytree(build.PACKAGE_DIR, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return copy


def kinds_of_files() -> list[str]:
    """One installed file of each kind, and of each folder, by its name in the package."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(build.PACKAGE_DIR.rglob("*")):
        name = path.relative_to(build.PACKAGE_DIR)
        hidden = any(part[0] == "." or part == "__pycache__" for part in name.parts)
        if path.is_file() and not hidden and path.name != "requirements.lock":
            found.setdefault((str(name.parent), path.suffix), str(name))
    return sorted(found.values())


@pytest.mark.parametrize("name", kinds_of_files())
def test_one_byte_of_any_installed_file_changes_the_code_s_hash(installed: Path, name: str) -> None:
    before, path = build.tree_hash(installed), installed / name
    kept = path.read_bytes()
    path.write_bytes(bytes([kept[0] ^ 1]) + kept[1:] if kept else b"x")
    assert build.tree_hash(installed) != before
    path.write_bytes(kept)
    assert build.tree_hash(installed) == before


def test_bytecode_and_what_tools_leave_behind_are_not_the_program(installed: Path) -> None:
    before = build.tree_hash(installed)
    for name in ("__pycache__/cli.cpython-311.pyc", ".ruff_cache/a.py", "notes.orig"):
        (installed / name).parent.mkdir(exist_ok=True)
        (installed / name).write_text("left behind")
    assert build.tree_hash(installed) == before


def test_the_code_s_hash_is_that_of_the_package() -> None:
    both = "import trader.build as b; print(b.code_hash(), b.tree_hash(b.PACKAGE_DIR))"
    once, again = run(ROOT, "-c", both).stdout.split()
    assert once == again
    assert len(once) == 64


def test_the_lock_of_the_package_is_the_one_at_the_top() -> None:
    assert (ROOT / "trader/requirements.lock").read_bytes() == (
        ROOT / "requirements.lock"
    ).read_bytes()
