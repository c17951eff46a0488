"""Strategy files: who may write them, what they are, what they declare; nothing of them runs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from trader.policy.checking import check_policy, examine
from trader.policy.problems import PolicyError
from trader.policy.strategy_files import (
    SOURCE_BYTES_MAX,
    StrategyFileRefused,
    load_strategies,
    load_strategy_file,
)
from trader.policy.strategy_sources import SourceUnusable, declared

from .conftest import FindSources
from .good_policy import PYTHON


def _file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "strategies" / "cross.py"


def _problems(sources_of: FindSources, tmp_path: Path, text: str | bytes) -> list[str]:
    sources = sources_of()
    data = text if isinstance(text, bytes) else text.encode()
    _file(tmp_path).write_bytes(data)
    _, problems, _ = examine(sources, {}, strategy_files=True)
    return [f"{p.file}:{p.line} {p.code} {p.where}: {p.message} ({p.hint})" for p in problems]


def test_a_source_comes_with_its_text_and_hash(sources_of: FindSources, tmp_path: Path) -> None:
    checked = check_policy(sources_of(), {})
    source = load_strategies(checked)["cross"]
    assert source.text == PYTHON
    assert source.sha == hashlib.sha256(PYTHON.encode()).hexdigest()
    assert source.path == str(_file(tmp_path))


def test_loading_runs_nothing(sources_of: FindSources, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    checked = check_policy(sources_of(), {})
    _file(tmp_path).write_text(f"open({str(marker)!r}, 'w')\n" + PYTHON)
    load_strategies(checked)
    assert _problems(sources_of, tmp_path, f"open({str(marker)!r}, 'w')\n" + PYTHON) == []
    assert not marker.exists()


@pytest.mark.parametrize("mode", [0o646, 0o666, 0o777])
def test_a_file_that_everyone_may_write_is_refused(
    sources_of: FindSources, tmp_path: Path, mode: int
) -> None:
    checked = check_policy(sources_of(), {})
    _file(tmp_path).chmod(mode)
    with pytest.raises(PolicyError, match="everyone may write it"):
        load_strategies(checked)


def test_a_folder_that_everyone_may_write_is_refused(
    sources_of: FindSources, tmp_path: Path
) -> None:
    checked = check_policy(sources_of(), {})
    folder = _file(tmp_path).parent
    folder.chmod(0o777)
    with pytest.raises(PolicyError, match="everyone may write its folder"):
        load_strategies(checked)
    folder.chmod(0o1777)
    assert "cross" in load_strategies(checked)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(sources_of: FindSources, tmp_path: Path) -> None:
    checked = check_policy(sources_of(), {})
    os.chown(_file(tmp_path), 12345, -1)
    with pytest.raises(PolicyError, match="belongs to user 12345"):
        load_strategies(checked)


def test_files_that_are_missing_or_no_text_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "strategies"
    folder.mkdir(mode=0o755)
    (folder / "latin.py").write_bytes(b"# ok\n# \xe9\n")
    (folder / "nul.py").write_bytes(b"a = 1\x00\n")
    (folder / "large.py").write_bytes(b"#" * (SOURCE_BYTES_MAX + 1))
    (folder / "folder.py").mkdir()
    os.mkfifo(folder / "pipe.py")
    expected = {
        "none.py": "is missing",
        "latin.py": "0xe9 in line 2",
        "nul.py": "NUL",
        "large.py": "larger than",
        "folder.py": "regular file",
        "pipe.py": "regular file",
    }
    for name, part in expected.items():
        with pytest.raises(StrategyFileRefused, match=part):
            load_strategy_file(folder, name)


def test_every_bad_file_is_named_in_one_error(sources_of: FindSources) -> None:
    sources = sources_of(strategies="cross: {}\na:\n  file: x.py\nb: {}\n")
    checked = check_policy(sources, {})
    with pytest.raises(PolicyError) as caught:
        load_strategies(checked)
    found = [(p.file, p.line, p.code, p.where) for p in caught.value.problems]
    assert found == [
        ("config/strategies.yaml", 3, "STRATEGY_FILE", "strategies.a.file"),
        ("strategies/b.py", 0, "STRATEGY_FILE", "strategies.b.file"),
    ]
    _, problems, _ = examine(sources, {}, strategy_files=True)
    assert [(p.file, p.line, p.where) for p in problems] == [
        ("config/strategies.yaml", 3, "a.file"),
        ("config/strategies.yaml", 4, "b"),
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("PARAMETERS = {}\ndef warmup(p:\n", "config/strategies/cross.py:2 STRATEGY_SOURCE"),
        ("def warmup(p): pass\n", "does not define PARAMETERS"),
        (PYTHON.replace("def signals", "def signal"), "does not define signals"),
        (PYTHON.replace('"fast"', '"quick"', 1), "did you mean fast|it declares quick, stop"),
        ("(" * 5_000, "STRATEGY_SOURCE"),
        ("x = " + "-" * 100_000 + "1", "STRATEGY_SOURCE"),
    ],
)
def test_a_source_that_cannot_work_is_refused_before_it_runs(
    sources_of: FindSources, tmp_path: Path, text: str, part: str
) -> None:
    found = _problems(sources_of, tmp_path, text)
    assert found
    assert any(option in line for option in part.split("|") for line in found)


def test_a_parameter_is_judged_where_it_is_written(sources_of: FindSources) -> None:
    sources = sources_of(
        signals="presets:\n  slow:\n    fasst: 5\n",
        strategies="cross:\n  preset: slow\n  parameters:\n    fast: 2.5\n    stop: 3\n    x: 1\n",
    )
    _, problems, _ = examine(sources, {}, strategy_files=True)
    assert [(p.file, p.line, p.code) for p in problems] == [
        ("config/signals.yaml", 3, "PARAMETER_UNKNOWN"),
        ("config/strategies.yaml", 4, "PARAMETER_KIND"),
        ("config/strategies.yaml", 6, "PARAMETER_UNKNOWN"),
    ]
    assert "did you mean fast" in problems[0].hint
    assert "it declares fast, stop" in problems[2].hint


def test_strategy_files_are_judged_beside_other_problems(sources_of: FindSources) -> None:
    sources = sources_of(app="mode: papr\n", strategies="cross: {}\ngone: {}\n")
    _, problems, _ = examine(sources, {}, strategy_files=True)
    assert [p.code for p in problems] == ["NOT_A_CHOICE", "STRATEGY_FILE"]


def test_what_only_running_tells_is_left_to_the_run() -> None:
    assert declared("PARAMETERS = make()\n").parameters is None
    assert declared("PARAMETERS = {**base, 'a': 1}\n").parameters is None
    assert declared("PARAMETERS = {'a': True}\n").parameters is None
    assert declared("PARAMETERS: dict = {'a': 1, 'b': -2.5}\n").parameters == {"a": 1, "b": -2.5}
    assert not declared("from x import *\n").complete
    assert not declared("if True:\n    PARAMETERS = {}\n").complete
    assert declared("import os.path\nfrom a import b as signals\n").names == {"os", "signals"}


def test_a_text_that_is_not_python_has_a_line() -> None:
    with pytest.raises(SourceUnusable) as caught:
        declared("a = 1\nb = = 2\n")
    assert caught.value.line == 2
