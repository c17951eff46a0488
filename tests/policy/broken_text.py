"""Broken text: what is wrong with a file before any key is looked at, the same for all five files.

Lives here: the table. `{key}` and `{value}` stand for a line that the file may have. Must not live
here: keys and values (see the other `broken_` tables).
"""

from __future__ import annotations

from typing import AnyStr

from .broken_kinds import Row

# A key with a value that is good, of each file.
LINES = {
    "app": ("account", "demo"),
    "policy": ("profile", "none"),
    "universe": ("timeframe", "1h"),
    "signals": ("presets", "{}"),
    "strategies": ("cross", "{}"),
}
KIB = 1 << 10
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

# (text, expected "line CODE where", part of the first message)
TEXTS: list[tuple[str | bytes, list[str], str]] = [
    # --- nothing, or not a mapping
    ("", ["0 EMPTY "], "write {}"),
    ("\n\n  \n", ["0 EMPTY "], "says nothing"),
    ("# only a comment\n", ["0 EMPTY "], "says nothing"),
    ("---\n", ["0 EMPTY "], "says nothing"),
    ("---\n...\n", ["0 EMPTY "], "says nothing"),
    ("\ufeff", ["0 EMPTY "], "says nothing"),
    ("- a\n- b\n", ["1 WRONG_KIND "], "must hold keys and values"),
    ("[a, b]\n", ["1 WRONG_KIND "], "must hold keys and values"),
    ("just text\n", ["1 WRONG_KIND "], "must hold keys and values"),
    ("42\n", ["1 WRONG_KIND "], "must hold keys and values"),
    ("null\n", ["1 WRONG_KIND "], "must hold keys and values"),
    # --- bytes
    (b"{key}: d\xffmo\n", ["1 NOT_UTF8 "], "0xff"),
    (b"# caf\xe9\n{key}: {value}\n", ["1 NOT_UTF8 "], "save the file as UTF-8"),
    (b"{key}: {value}\n# \xc0\x80\n", ["2 NOT_UTF8 "], "0xc0"),
    (b"{key}: {value}\n# \xed\xa0\x80\n", ["2 NOT_UTF8 "], "0xed"),
    ("{key}: {value}\n".encode("utf-16"), ["1 NOT_UTF8 "], "UTF-8"),
    ("{key}: {value}\n".encode("utf-32"), ["1 NOT_UTF8 "], "UTF-8"),
    (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", ["1 NOT_UTF8 "], "0x8b"),
    (b"{key}: {value}\x00\n", ["1 CONTROL_CHARACTER "], "U+0000"),
    (b"# bell\x07\n{key}: {value}\n", ["1 CONTROL_CHARACTER "], "U+0007"),
    (b"{key}: {value}\n\x1b[31m# red\n", ["2 CONTROL_CHARACTER "], "U+001B"),
    ("{key}: {value}\n\ufeff# in the middle\n", ["2 CONTROL_CHARACTER "], "U+FEFF"),
    ("{key}:\n\tx: 1\n", ["2 TAB "], "use spaces"),
    ("{key}:\t{value}\n", ["1 TAB "], "a tab"),
    # --- not YAML
    ("{key}: [{value}\nx: 1\n", ["2 YAML_SYNTAX "], "not YAML"),
    ("{key}: {a: 1\nx: 1\n", ["2 YAML_SYNTAX "], "not YAML"),
    ('{key}: "{value}\n', ["2 YAML_SYNTAX "], "not YAML"),
    ("{key}: '{value}\n", ["2 YAML_SYNTAX "], "not YAML"),
    ("{key}: {value}\n x: 1\n", ["2 YAML_SYNTAX "], "not YAML"),
    ("{key}: {value}\nx:1\ny: 2\n", ["3 YAML_SYNTAX "], "a space belongs after the colon"),
    ("{key}: @{value}\n", ["1 YAML_SYNTAX "], "put the value in quotes"),
    ("{key}: `{value}`\n", ["1 YAML_SYNTAX "], "put the value in quotes"),
    ("{key}: %5\n", ["1 YAML_SYNTAX "], "put the value in quotes"),
    ("{key}: a: b\n", ["1 YAML_SYNTAX "], "not YAML"),
    ("{key}: ]\n", ["1 YAML_SYNTAX "], "not YAML"),
    ("}\n", ["1 YAML_SYNTAX "], "not YAML"),
    ('{key}: "\\q"\n', ["1 YAML_SYNTAX "], "not YAML"),
    ("%YAML 3.0\n---\n{key}: {value}\n", ["1 YAML_SYNTAX "], "not YAML"),
    ("? [a, b]\n: 1\n", ["1 YAML_SYNTAX "], "a key must be plain text"),
    ("? {a: b}\n: 1\n", ["1 YAML_SYNTAX "], "a key must be plain text"),
    # --- YAML that is not accepted
    ("{key}: &a {value}\n", ["1 YAML_FEATURE {key}"], "anchors"),
    ("{key}: *a\n", ["1 YAML_FEATURE {key}"], "aliases"),
    ("&a {key}: {value}\n", ["1 YAML_FEATURE "], "anchors"),
    ("<<: {{key}: {value}}\n", ["1 YAML_FEATURE "], "<<"),
    (LAUGHS, ["1 YAML_FEATURE a"], "anchors and aliases are not accepted"),
    ("{key}: !!python/object/apply:os.system [ls]\n", ["1 YAML_FEATURE {key}"], "tags"),
    ("{key}: !!python/name:os.system {value}\n", ["1 YAML_FEATURE {key}"], "tags"),
    ("{key}: !mine {a: 1}\n", ["1 YAML_FEATURE {key}"], "tags"),
    ("!!map {{key}: {value}}\n", ["1 YAML_FEATURE "], "tags"),
    ("{key}: {value}\n---\n{key}: {value}\n", ["2 YAML_FEATURE "], "second document"),
    ("{key}: {value}\n...\n---\nx: 1\n", ["3 YAML_FEATURE "], "second document"),
    ("{key}: {value}\n{key}: {value}\n", ["2 DUPLICATE_KEY {key}"], "first written in line 1"),
    ('{key}: {value}\n"{key}": {value}\n', ["2 DUPLICATE_KEY {key}"], "keep one"),
    # --- without bound
    ("x: " + "[" * 40 + "]" * 40 + "\n", ["1 TOO_DEEP x"], "more than 16 levels deep"),
    ("x: " + "[" * 10_000 + "]" * 10_000 + "\n", ["1 TOO_DEEP x"], "levels"),
    ("{a: " * 10_000 + "1" + "}" * 10_000 + "\n", ["1 TOO_DEEP " + "a." * 16 + "a"], "levels"),
    ("- " * 10_000 + "1\n", ["1 TOO_DEEP "], "levels"),
    ("".join(" " * n + "a:\n" for n in range(200)), ["18 TOO_DEEP " + "a." * 16 + "a"], "levels"),
    ("x: [" + "a," * 30_000 + "]\n", ["1 TOO_LARGE "], "more than 20000 values"),
    ("".join(f"k{n}: 1\n" for n in range(25_000)), ["20000 TOO_LARGE "], "20000 values"),
    (b"#" * KIB * KIB + b"\n", ["0 TOO_LARGE "], "is larger than 1048576 bytes"),
]


def rows(file: str) -> list[Row]:
    """The table for one of the five files."""
    return [
        Row(file, _filled(file, text), [_filled(file, one) for one in expected], part)
        for text, expected, part in TEXTS
    ]


def _filled(file: str, text: AnyStr) -> AnyStr:
    key, value = LINES[file]
    if isinstance(text, bytes):
        return text.replace(b"{key}", key.encode()).replace(b"{value}", value.encode())
    return text.replace("{key}", key).replace("{value}", value)
