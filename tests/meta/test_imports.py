"""Who may import what, read from the sources: also what import-linter cannot see.

The linter counts import statements; here a module named in a call (`import_module("ccxt")`) counts
too, and the pure floors may use only the listed parts of the standard library.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PURE_STDLIB = {
    "__future__", "array", "bisect", "collections", "dataclasses", "decimal", "enum", "fractions",
    "functools", "hashlib", "itertools", "json", "math", "operator", "re", "types", "typing",
}  # fmt: skip
HOME = {"ccxt": "trader/venues/", "sqlite3": "trader/journal/", "sqlite_utils": "trader/journal/"}
IMPORTERS = {"import_module", "__import__"}


def files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(found)


def imported(tree: ast.Module) -> set[str]:
    """Top-level names of everything that a module imports, wherever it does so."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("trader" if node.level else str(node.module))
        elif isinstance(node, ast.Call):
            names |= named_in_call(node)
    return {name.partition(".")[0] for name in names}


def named_in_call(node: ast.Call) -> set[str]:
    """The module that `import_module("name")` names."""
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if name not in IMPORTERS or not node.args or not isinstance(node.args[0], ast.Constant):
        return set()
    return {str(node.args[0].value)}


def test_domain_and_core_use_only_the_pure_part_of_the_standard_library() -> None:
    pure = files("trader/domain", "trader/core")
    extra = {
        str(path.relative_to(ROOT)): sorted(found)
        for path in pure
        if (found := imported(ast.parse(path.read_text())) - PURE_STDLIB - {"trader"})
    }
    assert len(pure) > 20
    assert not extra


def test_sqlite_and_ccxt_are_imported_in_one_place_each() -> None:
    package = files("trader")
    strays = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in package
        for name in imported(ast.parse(path.read_text())) & set(HOME)
        if not str(path.relative_to(ROOT)).startswith(HOME[name])
    ]
    assert len(package) > 100
    assert not strays


def test_the_core_package_imports_nothing() -> None:
    assert imported(ast.parse((ROOT / "trader/core/__init__.py").read_text())) == set()


@pytest.mark.parametrize("path", files("trader/core"), ids=lambda path: path.stem)
def test_core_code_means_the_same_compiled(path: Path) -> None:
    tree = ast.parse(path.read_text())
    powers = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Pow)
    ]
    assert not powers, "`**` has C's meaning when compiled: multiply, or call pow()"


def test_hidden_imports_are_seen() -> None:
    text = "def f():\n import a.b\n from c import d\n importlib.import_module('e.f')\n"
    assert imported(ast.parse(text)) == {"a", "c", "e"}
