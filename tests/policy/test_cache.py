"""The cache: equal input needs no parser, and nothing but equal input is believed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import trader
from trader.core.canonical import canonical
from trader.policy.cache import KEPT_MAX, cache_key, load_checked
from trader.policy.checking import check_policy
from trader.policy.problems import PolicyError
from trader.policy.sources import Source

from .conftest import FindSources, WritePolicy

CODE = "c" * 64
CHILD = """
import sys
from collections.abc import Callable
from pathlib import Path
from trader.policy.sources import find_sources
from trader.policy.cache import load_checked
from trader.policy.parameters import build_parameters, build_settings
from trader.policy.strategy_files import load_strategies
from trader.policy.showing import show
checked = load_checked(find_sources([], cwd=Path.cwd(), env={}), {}, Path("cache"), "code")
shas = {name: source.sha for name, source in load_strategies(checked).items()}
build_parameters(checked.form, shas), build_settings(checked.form), show(checked)
heavy = ("yaml", "pydantic", "trader.policy.rules_compile", "trader.policy.schema")
print(checked.sha, sorted(name for name in heavy if name in sys.modules))
"""


def _files(cache: Path) -> list[Path]:
    return sorted(cache.iterdir())


def _touched(path: Path) -> os.stat_result:
    return path.stat()


def test_the_second_load_imports_neither_yaml_nor_pydantic_nor_the_parser_of_rules(
    tmp_path: Path, write_policy: WritePolicy
) -> None:
    write_policy(strategies="dip:\n  enter: rsi(14) < 30\n  stop: 5%\n")
    root = Path(trader.__file__).parent.parent
    outputs: list[str] = []
    for _ in range(2):
        run = subprocess.run(
            [sys.executable, "-c", CHILD],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.append(run.stdout)
    first, second = (line.split(" ", 1) for line in outputs)
    assert first[0] == second[0]
    parsers = ["pydantic", "trader.policy.rules_compile", "trader.policy.schema", "yaml"]
    assert first[1].strip() == str(parsers)
    assert second[1].strip() == "[]"


def test_a_hit_is_the_checked_form_and_writes_nothing(
    tmp_path: Path, sources_of: FindSources
) -> None:
    sources, cache = sources_of(), tmp_path / "cache"
    first = load_checked(sources, {}, cache, CODE)
    (file,) = _files(cache)
    before = _touched(file)
    assert load_checked(sources, {}, cache, CODE) == first == check_policy(sources, {})
    assert _touched(file).st_mtime_ns == before.st_mtime_ns
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_key_changes_with_bytes_variables_places_and_code(sources_of: FindSources) -> None:
    sources = sources_of()
    base = cache_key(sources, {}, CODE)
    changed = [
        Source(sources[0].label, "app", sources[0].folder, sources[0].data + b"#"),
        *sources[1:],
    ]
    moved = [Source("other", "app", sources[0].folder, sources[0].data), *sources[1:]]
    keys = {
        base,
        cache_key(changed, {}, CODE),
        cache_key(moved, {}, CODE),
        cache_key(sources[::-1], {}, CODE),
        cache_key(sources, {"TRADER__APP__MODE": "paper"}, CODE),
        cache_key(sources, {}, "d" * 64),
    }
    assert len(keys) == 6
    assert cache_key(sources, {"PATH": "x"}, CODE) == base


def _spoil_form(text: str) -> str:
    return text.replace('"account":"demo"', '"account":"mine"')


def _reseal_form(text: str) -> str:
    """Altered and sealed again, but without the form's own hash."""
    outer = json.loads(text)
    outer["body"]["form"]["policy"]["limits"]["position"] = "1"
    sealed = f"{outer['key']}|{canonical(outer['body'])}"
    outer["seal"] = hashlib.sha256(sealed.encode()).hexdigest()
    return json.dumps(outer)


def _other_shape(_text: str) -> str:
    return json.dumps({"key": "", "seal": "", "body": []})


def _cut(text: str) -> str:
    return text[: len(text) // 2]


def _deep(_text: str) -> str:
    return "[" * 200_000


@pytest.mark.parametrize("spoil", [_spoil_form, _reseal_form, _other_shape, _cut, _deep, str.upper])
def test_an_altered_cache_is_not_believed_and_is_replaced(
    tmp_path: Path, sources_of: FindSources, spoil: Callable[[str], str]
) -> None:
    sources, cache = sources_of(), tmp_path / "cache"
    good = load_checked(sources, {}, cache, CODE)
    (file,) = _files(cache)
    intact = file.read_text()
    spoiled = spoil(intact)
    assert spoiled != intact
    file.write_text(spoiled)
    assert load_checked(sources, {}, cache, CODE) == good
    assert file.read_text() == intact


@pytest.mark.parametrize("mode", [0o602, 0o620, 0o666])
def test_a_cache_that_others_may_write_is_not_believed(
    tmp_path: Path, sources_of: FindSources, mode: int
) -> None:
    sources, cache = sources_of(), tmp_path / "cache"
    load_checked(sources, {}, cache, CODE)
    (file,) = _files(cache)
    file.chmod(mode)
    load_checked(sources, {}, cache, CODE)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_link_in_the_place_of_the_cache_is_not_followed(
    tmp_path: Path, sources_of: FindSources
) -> None:
    sources, cache = sources_of(), tmp_path / "cache"
    load_checked(sources, {}, cache, CODE)
    (file,) = _files(cache)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    load_checked(sources, {}, cache, CODE)
    assert not file.is_symlink()


def test_a_cache_of_one_policy_does_not_answer_for_another(
    tmp_path: Path, sources_of: FindSources
) -> None:
    cache = tmp_path / "cache"
    load_checked(sources_of(app="account: one\n"), {}, cache, CODE)
    (file,) = _files(cache)
    sources = sources_of(app="account: two\n")
    file.rename(cache / f"policy-{cache_key(sources, {}, CODE)}.json")
    assert load_checked(sources, {}, cache, CODE).form["app"]["account"] == "two"


def test_a_broken_policy_is_never_cached(tmp_path: Path, sources_of: FindSources) -> None:
    with pytest.raises(PolicyError):
        load_checked(sources_of(app="mode: x\n"), {}, tmp_path / "cache", CODE)
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written_costs_only_time(
    tmp_path: Path, sources_of: FindSources
) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    checked = load_checked(sources_of(), {}, tmp_path / "cache", CODE)
    assert checked.form["app"]["account"] == "demo"


def test_the_cache_stays_small(tmp_path: Path, sources_of: FindSources) -> None:
    sources, cache = sources_of(), tmp_path / "cache"
    for number in range(KEPT_MAX + 3):
        load_checked(sources, {}, cache, f"code {number}")
    assert len(_files(cache)) == KEPT_MAX
