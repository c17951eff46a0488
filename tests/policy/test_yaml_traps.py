"""YAML reads as what was written: no silent types, no last-one-wins, nothing unbounded."""

from __future__ import annotations

import pytest
import yaml

from trader.policy import reading
from trader.policy.reading import DEPTH_MAX, VALUES_MAX, decode, read_tree
from trader.policy.tree import plain


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def _both_parsers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PyYAML has no C parser, its slow one reads the same."""
    assert hasattr(yaml, request.param)
    monkeypatch.setattr(reading, "_LOADER", getattr(yaml, request.param))


def _read(text: str) -> object:
    node, problems = read_tree("x.yaml", text)
    assert node is not None
    assert problems == []
    return plain(node)


def _codes(text: str) -> list[tuple[str, int]]:
    _, problems = read_tree("x.yaml", text)
    return [(problem.code, problem.line) for problem in problems]


@pytest.mark.parametrize(
    "written",
    [
        *("no", "yes", "on", "off", "true", "null", "~", "010", "0x1F", "0o17", "1e3", "1_000"),
        *("12:30:00", "2024-01-01", ".nan", ".inf", "-.inf", "=", "3.0", "1.", "NO"),
    ],
)
def test_a_scalar_stays_the_text_that_was_written(written: str) -> None:
    assert _read(f"key: {written}\n") == {"key": written}


def test_keys_are_texts_too() -> None:
    assert _read("no: 1\n12:30: 2\n1: 3\n") == {"no": "1", "12:30": "2", "1": "3"}


def test_a_key_twice_is_refused_at_its_second_place() -> None:
    assert _codes("a: 1\nb: 2\na: 3\n") == [("DUPLICATE_KEY", 3)]
    assert _codes("a: {b: 1, c: 2, b: 3}\n'a': 4\n") == [
        ("DUPLICATE_KEY", 1),
        ("DUPLICATE_KEY", 2),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: *x\n",
        "a: &x {c: 1}\nb:\n  <<: *x\n",
        "b:\n  <<: {c: 1}\n",
        "&k key: 1\n",
        "a: *x\n",
        "!!map {a: 1}\n",
        "a: !!python/object/apply:os.system [ls]\n",
        "a: !!binary aGk=\n",
        "a: !local 1\n",
    ],
)
def test_anchors_aliases_merges_and_tags_are_refused(text: str) -> None:
    codes = {code for code, _ in _codes(text)}
    assert codes == {"YAML_FEATURE"}


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert _codes("\n".join(lines)) == [("YAML_FEATURE", 1)]


def test_depth_is_bounded_at_the_bound() -> None:
    def nested(levels: int) -> str:
        return "a: " + "[" * levels + "]" * levels + "\n"

    assert _codes(nested(DEPTH_MAX)) == []
    assert _codes(nested(DEPTH_MAX + 1)) == [("TOO_DEEP", 1)]
    assert _codes(nested(200_000)) == [("TOO_DEEP", 1)]
    assert _codes("{a: " * 200_000) == [("TOO_DEEP", 1)]


def test_the_number_of_values_is_bounded() -> None:
    assert _codes("[" + "1," * (VALUES_MAX - 1) + "]") == []
    assert _codes("[" + "1," * VALUES_MAX + "]") == [("TOO_LARGE", 1)]


@pytest.mark.parametrize("text", ["? a\n: 1\n", "? >\n  a\n: 1\n"])
def test_an_explicit_plain_key_is_a_key(text: str) -> None:
    node, problems = read_tree("x", text)
    assert node is not None
    assert problems == []


@pytest.mark.parametrize("text", ["? [a]\n: 1\n", "{[a]: 1}\n", "? {a: 1}\n: 1\n"])
def test_a_key_of_several_parts_is_refused(text: str) -> None:
    assert [code for code, _ in _codes(text)] == ["YAML_SYNTAX"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a: %x\n", "quotes"),
        ("a: @x\n", "quotes"),
        ("a: `x`\n", "quotes"),
        ("a:1\nb: 2\n", "space belongs after the colon"),
        ("b: 2\na:1\n", "space belongs after the colon"),
        ("a: 'x\n", "brackets"),
        ("a: b: c\n", "look at"),
        ("a: [1, 2\n", "brackets"),
        ("%YAML 9.9\n---\na: 1\n", ""),
    ],
)
def test_what_is_not_yaml_gets_a_line_and_a_hint(text: str, hint: str) -> None:
    _, (problem,) = read_tree("x.yaml", text)
    assert problem.code == "YAML_SYNTAX"
    assert problem.line >= 1
    assert hint in problem.hint


def test_places_count_from_one_in_characters_and_lines() -> None:
    node, _ = read_tree("x.yaml", "a: \u00e9\nb:\n  c: 1\n")
    assert node is not None
    assert isinstance(node.value, dict)
    inner = node.value["b"].value
    assert isinstance(inner, dict)
    place = inner["c"].at
    assert (place.file, place.line, place.column) == ("x.yaml", 3, 6)


def test_only_a_key_with_nothing_behind_it_has_no_value() -> None:
    node, _ = read_tree("x.yaml", "a:\nb: ''\nc: \"\"\n")
    assert node is not None
    assert isinstance(node.value, dict)
    assert {key: child.absent for key, child in node.value.items()} == {
        "a": True,
        "b": False,
        "c": False,
    }


@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        (b"a: 1\nb: \xe9\n", "NOT_UTF8", 2, 4),
        (b"\xff\xfea\x00", "NOT_UTF8", 1, 1),
        (b"a: 1\n\x00", "CONTROL_CHARACTER", 2, 1),
        (b"a: \x1b[31m\n", "CONTROL_CHARACTER", 1, 4),
        (b"a:\n \tb: 1\n", "TAB", 2, 2),
    ],
)
def test_bytes_that_are_no_plain_text_are_named(
    data: bytes, code: str, line: int, column: int
) -> None:
    _, (problem,) = decode("x.yaml", data)
    assert (problem.code, problem.line, problem.column) == (code, line, column)


def test_a_byte_order_mark_and_windows_line_ends_are_harmless() -> None:
    text, problems = decode("x.yaml", b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert problems == []
    assert _read(text) == {"a": "1", "b": "2"}


def test_a_tab_is_harmless_in_a_comment_and_refused_elsewhere() -> None:
    text, problems = decode("x.yaml", b"a: 1 # left\tright\n")
    assert problems == []
    assert _read(text) == {"a": "1"}
    _, problems = decode("x.yaml", b"a: 1\nb: 2\t# note\n")
    assert [(p.code, p.line, p.column) for p in problems] == [("TAB", 2, 5)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 1_000_000, "TOO_DEEP"),
        ("{a: " * 250_000, "TOO_DEEP"),
        ("- " * 500_000, "TOO_DEEP"),
        ("? " * 500_000, "YAML_SYNTAX"),
        ("a: [" + "x," * 500_000 + "]", "TOO_LARGE"),
        ("".join(f"k{number}: 1\n" for number in range(30_000)), "TOO_LARGE"),
        ("a: 1\n" * 100_000, "DUPLICATE_KEY"),
    ],
)
def test_a_text_made_to_be_slow_is_given_up_early(text: str, code: str) -> None:
    _, problems = read_tree("x.yaml", text)
    assert problems[0].code == code
    assert len(problems) <= VALUES_MAX
