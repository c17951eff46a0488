"""Where the program reads what a policy became: every field of the built values, by its readers.

Lives here: the fields of `core.parameters` and `policy.parameters` are renamed in a copy of the
package, and the type checker names every place that misses one: exact for the class, so that a
`positions_max` of the limits does not stand in for that of a tier. Must not live here: keys.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

DEFINED_IN = (
    "trader/core/limits.py", "trader/core/parameters.py", "trader/policy/parameters.py",
    "trader/policy/sweep_ranges.py",
)  # fmt: skip
# Where decisions are made and things are wired together; the rest is asked for what these miss.
FIRST = ("trader/core", "trader/wiring.py")
THEN = ("trader/app", "trader/cli")
GONE = "_is_gone"
_MISSES = re.compile(r'Cannot access attribute "(\w+)" for class "(\w+)\*?"')

Field = tuple[str, str]
Readers = dict[Field, list[str]]


def copy_of(root: Path, into: Path) -> Path:
    """The package's sources without what is compiled, below `into`."""
    unwanted = shutil.ignore_patterns("*.so", "*.c", "__pycache__", "exchange")
    shutil.copytree(root / "trader", into / "trader", ignore=unwanted)
    return into


def readers(tree: Path, classes: Collection[str], only: Collection[Field] | None = None) -> Readers:
    """Field (class, name) -> places outside the policy that read it, `file:line`; [] for none.

    `tree` holds a copy of the package, which is changed. `only`: the fields that are asked for,
    and all of whose readers are wanted.
    """
    fields = [field for name in DEFINED_IN for field in _rename(tree / name, classes)]
    found: Readers = {field: [] for field in fields if only is None or field in only}
    for part in (FIRST, THEN):
        left = [field for field, places in found.items() if only is not None or not places]
        if left:
            _look(tree, part, {name for _, name in left}, found)
    return found


def _rename(path: Path, classes: Collection[str]) -> list[Field]:
    """Renames the fields of the classes that hold a value and not another of the classes."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    renamed: list[Field] = []
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef) or node.name not in classes:
            continue
        for statement in node.body:
            name = _leaf(statement, classes)
            if name:
                row = statement.lineno - 1
                lines[row] = lines[row].replace(name, name + GONE, 1)
                renamed.append((node.name, name))
    path.write_text("".join(lines), encoding="utf-8")
    return renamed


def _leaf(statement: ast.stmt, classes: Collection[str]) -> str:
    """The name of a field that holds a plain value, else ""."""
    if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
        return ""
    kind = ast.unparse(statement.annotation)
    return "" if any(name in kind for name in classes) else statement.target.id


def _look(tree: Path, part: Collection[str], names: Collection[str], found: Readers) -> None:
    """Notes where the type checker misses a field, in the files that say its name at all."""
    said = re.compile(rf"\.({'|'.join(sorted(names))})\b")
    files = [
        str(path.relative_to(tree))
        for place in part
        for path in ([tree / place] if place.endswith(".py") else (tree / place).rglob("*.py"))
        if str(path.relative_to(tree)) not in DEFINED_IN
        and said.search(path.read_text(encoding="utf-8"))
    ]
    settings = {"include": files, "typeCheckingMode": "basic", "pythonVersion": "3.11"}
    (tree / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    words = [sys.executable, "-m", "basedpyright", "--outputjson", "-p", str(tree)]
    ran = subprocess.run(words, capture_output=True, text=True, cwd=tree, check=False)
    told: dict[str, Any] = json.loads(ran.stdout)
    if told["summary"]["filesAnalyzed"] != len(files):
        raise AssertionError(f"the type checker looked at {told['summary']} of {len(files)} files")
    for row in told["generalDiagnostics"]:
        missed = _MISSES.match(row["message"])
        field = (missed[2], missed[1]) if missed else ("", "")
        if field in found:
            line = row["range"]["start"]["line"] + 1
            found[field].append(f"{Path(row['file']).relative_to(tree.resolve())}:{line}")
