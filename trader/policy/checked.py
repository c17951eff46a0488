"""The checked form: a policy as plain data, with its hashes and where each value came from.

Lives here: the value that a check makes and a cache keeps. Must not live here: how it is made; no
yaml and no pydantic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from trader.core.canonical import canonical, sha256_of
from trader.policy.problems import Problem
from trader.policy.sources import Source, env_overrides
from trader.records import dataclass

Form = dict[str, Any]
# Keys of the form that nobody writes: the place of a name in its file, the parsed rules, and what a
# zone and its windows are in numbers.
DERIVED = frozenset({"declared", "program", "table"})


@dataclass(frozen=True, slots=True)
class Checked:
    """A policy without errors.

    Attributes:
        form: sections -> keys -> canonical values: text, int, bool, list, dict; effective values
            (defaults, presets and the universe are filled in).
        sha: sha256 of the form's canonical JSON, hex: two spellings of one policy are one.
        source_sha: sha256 over file bytes and overriding variables, in order, hex.
        warnings: what works but is probably not meant.
        origin: dotted key -> `file:line`, `env NAME` or `default`.
        folders: strategy -> folder that holds its `strategies/` folder.
        beside: path -> sha256 of each file that the sources named and that is in the form.
        sweeps: strategy -> what a sweep of it tries, where something is declared. No decision reads
            it, so it is no part of the form: another range is no other policy.
    """

    form: Form
    sha: str
    source_sha: str
    warnings: tuple[Problem, ...]
    origin: Mapping[str, str]
    folders: Mapping[str, str]
    beside: Mapping[str, str]
    sweeps: Mapping[str, Mapping[str, Any]]

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able data."""
        return {
            "form": self.form,
            "sha": self.sha,
            "source_sha": self.source_sha,
            "warnings": [warning.row() for warning in self.warnings],
            "origin": dict(self.origin),
            "folders": dict(self.folders),
            "beside": dict(self.beside),
            "sweeps": dict(self.sweeps),
        }

    @staticmethod
    def from_plain(data: Mapping[str, Any]) -> Checked:
        """From `to_plain`; KeyError, TypeError or ValueError when it is not that."""
        form = data["form"]
        if sha256_of(form) != data["sha"]:
            raise ValueError("the form does not have the hash that is written beside it")
        return Checked(
            form=form,
            sha=data["sha"],
            source_sha=data["source_sha"],
            warnings=tuple(Problem(*row) for row in data["warnings"]),
            origin=data["origin"],
            folders=data["folders"],
            beside=data["beside"],
            sweeps=data["sweeps"],
        )


def canonical_form(form: Form) -> str:
    """The text that the journal keeps; its sha256 is `Checked.sha`."""
    return canonical(form)


def source_sha(sources: Sequence[Source], env: Mapping[str, str], beside: Mapping[str, str]) -> str:
    """Hash of what was written: bytes of every file that was read, and overriding variables.

    `beside`: path -> sha256 of the files that the sources named.
    """
    files = [
        [source.section, hashlib.sha256(source.data).hexdigest()]
        for source in sources
        if source.fault is None
    ]
    files += [["", sha] for sha in beside.values()]
    variables = [[name, text] for name, text in env_overrides(env)]
    return sha256_of([files, variables])
