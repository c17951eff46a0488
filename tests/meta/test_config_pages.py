"""The pages about configuration: fresh, complete, with examples that are good policies."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from trader.policy.checking import all_keys

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def scripts() -> Iterator[dict[str, ModuleType]]:
    """The modules of scripts/ that write the pages."""
    names = ("docs_examples", "docs_config", "docs_keys")
    sys.path.insert(0, str(ROOT / "scripts"))
    yield {name: importlib.import_module(name) for name in names}
    sys.path.remove(str(ROOT / "scripts"))
    for name in names:
        sys.modules.pop(name, None)


def test_the_pages_are_what_the_program_says(scripts: dict[str, ModuleType]) -> None:
    from_program = scripts["docs_config"].config_pages(scripts["docs_config"].NOTE)
    assert len(from_program) == 6
    for name, text in from_program.items():
        assert (ROOT / name).read_text() == text, f"run: python scripts/docs.py ({name})"


def test_every_key_is_in_a_table_of_its_page(scripts: dict[str, ModuleType]) -> None:
    told = scripts["docs_keys"].documented(ROOT)
    assert sorted(told) == sorted(all_keys())


def test_a_page_without_a_row_lacks_that_key(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    folder = tmp_path / "docs" / "config"
    folder.mkdir()
    for path in (ROOT / "docs" / "config").glob("*.md"):
        lines = path.read_text().splitlines()
        kept = [line for line in lines if not line.startswith("| `drawdown_max` |")]
        (folder / path.name).write_text("\n".join(kept))
    missing = set(all_keys()) - set(scripts["docs_keys"].documented(tmp_path))
    assert missing == {"policy.limits.drawdown_max"}


def test_every_file_has_examples_and_each_is_a_good_policy(scripts: dict[str, ModuleType]) -> None:
    examples = scripts["docs_examples"].EXAMPLES
    assert {example.section for example in examples} == {
        "app", "policy", "universe", "signals", "strategies"
    }  # fmt: skip
    for example in examples:
        checked = scripts["docs_config"].checked_example(example)
        assert set(example.keys) <= set(checked.origin), example.title
        told = [checked.origin[key] for key in checked.origin if "stdin" in checked.origin[key]]
        assert told, f"{example.title}: nothing of it counts"


def test_the_three_spellings_of_a_share_have_one_hash(scripts: dict[str, ModuleType]) -> None:
    (example,) = [e for e in scripts["docs_examples"].EXAMPLES if "Three ways" in e.title]
    shipped = scripts["docs_config"].shipped()
    assert scripts["docs_config"].checked_example(example).sha == shipped.sha
