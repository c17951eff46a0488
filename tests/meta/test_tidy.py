"""Limits of taste over every source file that git knows; each message says what to do instead."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("trader", "tests", "scripts", "config", "docs", "systemd", ".ci")
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
LINE_LENGTH_MAX = 100
NESTING_MAX = 3
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "util", "helper", "misc"}
# Put together here, so that this file does not contain what it forbids.
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error", "pragma: no " + "cover")
MACHINE_PATH = re.compile(r"/(?:work|home/\w+|root|Users)/[\w.]")
REGISTRY_HOST = re.compile(r"\b(?:pypi\.org|files\.pythonhosted|test\.pypi|index[-_]url\s*=)")
SILENCED = re.compile(r"#\s*(?:type|pyright):\s*ignore|#\s*noqa|#\s*nosec")
WITH_REASON = re.compile(
    r"#\s*(?:(?:type|pyright):\s*ignore\[[\w, -]+\]|noqa: [A-Z0-9, ]+[A-Z0-9]|nosec [B\d, ]+)"
    r"(?:\s+|\s*-\s*|\s*#\s*)\S*[a-z]\S*\s+\S+"
)
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match, ast.AsyncFor, ast.AsyncWith)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def listed() -> list[str]:
    """Every file that git tracks or would track, that is there."""
    words = ["git", "ls-files", "-z", "-co", "--exclude-standard"]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(name for name in ran.stdout.split("\0") if name and (ROOT / name).is_file())


def sources() -> list[str]:
    return [name for name in listed() if name.endswith((".py", ".pyi", ".pxd"))]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


PYTHON = [name for name in sources() if name.endswith(".py")]


def test_every_source_file_is_read() -> None:
    on_disk = {
        str(path.relative_to(ROOT))
        for folder in ("trader", "tests", "scripts", "config")
        for path in (ROOT / folder).rglob("*.py")
        if "__pycache__" not in path.parts
    }
    assert len(PYTHON) > 100
    assert set(sources()) >= on_disk, "a source file that git ignores: mend .gitignore"


def lines_too_long(lines: list[str]) -> set[int]:
    """Numbers of lines whose code is too long; a reason beside a silenced warning may stick out."""
    return {n for n, line in enumerate(lines, 1) if len(code_of(line)) > LINE_LENGTH_MAX}


def code_of(line: str) -> str:
    found = SILENCED.search(line)
    return line[: found.start()].rstrip() if found else line


def lines_of_tables(tree: ast.Module, lines: list[str]) -> set[int]:
    """Lines of a table in a string that says why it is wide, where the string ends."""
    return {
        number
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.end_lineno
        if "noqa: E501" in lines[node.end_lineno - 1]
        for number in range(node.lineno, node.end_lineno + 1)
    }


def lines_too_many(tree: ast.Module) -> list[str]:
    """Functions that are too long, with their length."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                found.append(f"{node.name} has {length} lines")
    return found


def nesting_of(node: ast.AST, depth: int = 0) -> int:
    """Deepest nesting of blocks below a node; `elif` is no deeper than its `if`."""
    deepest = depth
    for name, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        is_elif = (
            isinstance(node, ast.If)
            and name == "orelse"
            and len(children) == 1
            and isinstance(children[0], ast.If)
        )
        for child in children:
            if not isinstance(child, ast.AST) or isinstance(child, (*FUNCTIONS, ast.Lambda)):
                continue
            inner = depth + (isinstance(child, BLOCKS) and not is_elif)
            deepest = max(deepest, nesting_of(child, inner))
    return deepest


def nested_too_deep(tree: ast.Module) -> list[str]:
    return [
        f"{node.name} nests {depth} blocks"
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS) and (depth := nesting_of(node)) > NESTING_MAX
    ]


@pytest.mark.parametrize("name", PYTHON)
def test_a_source_file_keeps_to_the_limits(name: str) -> None:
    text = text_of(name)
    lines = text.splitlines()
    tree = ast.parse(text)
    assert len(lines) <= FILE_LINES_MAX, f"{name}: {len(lines)} lines; split it by subject"
    long_lines = sorted(lines_too_long(lines) - lines_of_tables(tree, lines))
    assert not long_lines, f"{name}: lines {long_lines} are too long"
    assert not lines_too_many(tree), f"{name}: take out steps that have a name"
    assert not nested_too_deep(tree), f"{name}: return early or take out the inner block"


@pytest.mark.parametrize("name", PYTHON)
def test_a_silenced_warning_has_its_reason_beside_it(name: str) -> None:
    bare = [
        f"{name}:{number}: {line.strip()}"
        for number, line in enumerate(text_of(name).splitlines(), 1)
        if SILENCED.search(line) and not WITH_REASON.search(line) and "SILENCED" not in line
    ]
    assert not bare, "say why, in words, on the same line"


@pytest.mark.parametrize("name", [name for name in PYTHON if name.startswith("trader/")])
def test_a_module_opens_with_a_paragraph(name: str) -> None:
    assert ast.get_docstring(ast.parse(text_of(name))), f"{name}: what lives here, what must not"


def broad_handlers(tree: ast.Module) -> list[int]:
    """Lines of handlers that catch everything."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
    ]


def test_only_the_command_line_catches_everything() -> None:
    package = [name for name in PYTHON if name.startswith("trader/")]
    found = {
        name: lines
        for name in package
        if not name.startswith("trader/cli/")
        and (lines := broad_handlers(ast.parse(text_of(name))))
    }
    assert package
    assert not found, "catch what can happen; the rest is a bug and ends the run"


def test_no_file_has_a_name_that_says_nothing() -> None:
    names = listed()
    bad = [name for name in names if Path(name).stem in FORBIDDEN_NAMES]
    assert names
    assert not bad, "name the file after what lives in it"


def is_text(name: str) -> bool:
    return b"\0" not in (ROOT / name).read_bytes()[:4096]


def test_no_file_is_unfinished_or_names_a_machine_or_a_registry() -> None:
    names = [name for name in listed() if is_text(name) and not name.endswith((".gz", ".csv"))]
    found: list[str] = []
    for name in names:
        text = text_of(name)
        found += [f"{name}: {word}" for word in UNFINISHED if word in text]
        found += [f"{name}: {hit[0]}" for hit in MACHINE_PATH.finditer(text)]
        found += [f"{name}: {hit[0]}" for hit in REGISTRY_HOST.finditer(text)]
    assert len(names) > 100
    found = [line for line in found if not line.startswith("tests/meta/test_tidy.py:")]
    assert not found


def test_the_top_level_is_as_agreed() -> None:
    allowed = {
        "pyproject.toml", "README.md", "trader", "config", "tests", "scripts", "systemd",
        "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "docs", "justfile", "requirements.lock",
        "requirements-dev.lock", "requirements-build.lock", ".ci", ".gitignore",
    }  # fmt: skip
    there = {name.split("/")[0] for name in listed()}
    assert len(there) > 8
    assert there <= allowed


def test_the_limits_are_found_to_be_broken_when_they_are() -> None:
    deep = ast.parse(
        "def f(x):\n if x:\n  for y in x:\n   while y:\n    with y:\n     pass\n"
        "def g(x):\n if x:\n  pass\n elif 1:\n  pass\n elif 2:\n  pass\n elif 3:\n  pass\n"
    )
    assert nested_too_deep(deep) == ["f nests 4 blocks"]
    long = ast.parse("def f():\n" + " x = 1\n" * FUNCTION_LINES_MAX)
    assert lines_too_many(long) == [f"f has {FUNCTION_LINES_MAX + 1} lines"]
    assert lines_too_long(["x" * 101, "x" * 100]) == {1}
    assert broad_handlers(ast.parse("try:\n x\nexcept:\n pass")) == [3]
    assert not WITH_REASON.search("x = 1  # no" + "qa: S101")
    assert WITH_REASON.search("x = 1  # no" + "qa: S101  our own bug")
