"""The checked form by the hash of what was written: a cycle pays for yaml and pydantic once.

Lives here: the key, the file, and when it may be believed. A file that is missing, foreign, open to
other writers, cut, altered or of another shape is not believed: the policy is checked again. Must
not live here: the check.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trader.core.canonical import canonical, sha256_of
from trader.policy.checked import Checked
from trader.policy.regular_files import read_regular
from trader.policy.sources import PROFILES, Source, env_overrides, profile_bytes

CACHE_VERSION = 2
SIZE_BYTES_MAX = 8 << 20
KEPT_MAX = 32


def load_checked(
    sources: Sequence[Source], env: Mapping[str, str], cache_dir: Path, code_sha: str
) -> Checked:
    """The checked policy, from the cache when these very bytes were checked by this very code.

    Raises PolicyError like `check_policy`. A cache that cannot be written costs time, not the run.
    """
    key = cache_key(sources, env, code_sha)
    path = cache_dir / f"policy-{key}.json"
    found = _read(path, key)
    if found is not None:
        return found
    from trader.policy.checking import check_policy

    checked = check_policy(sources, env)
    with contextlib.suppress(OSError):
        _write(path, key, checked)
    return checked


def cache_key(sources: Sequence[Source], env: Mapping[str, str], code_sha: str) -> str:
    """Hash over everything that a checked form depends on, the places included."""
    rows = [
        [
            source.label,
            source.section,
            source.folder,
            hashlib.sha256(source.data).hexdigest(),
            source.fault.code if source.fault else "",
        ]
        for source in sources
    ]
    variables = [[name, text] for name, text in env_overrides(env)]
    # The code's hash does not cover them: they are YAML.
    profiles = [hashlib.sha256(profile_bytes(name)).hexdigest() for name in PROFILES]
    return sha256_of([CACHE_VERSION, code_sha, profiles, rows, variables])


def _read(path: Path, key: str) -> Checked | None:
    try:
        found = read_regular(path, SIZE_BYTES_MAX, os.O_NOFOLLOW)
    except OSError:
        return None
    if found is None or not _is_ours(found[1]) or len(found[0]) > SIZE_BYTES_MAX:
        return None
    try:
        outer = json.loads(found[0])
        body: Any = outer["body"]
        if outer["key"] != key or outer["seal"] != _seal(key, body):
            return None
        return Checked.from_plain(body)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _is_ours(status: os.stat_result) -> bool:
    """A file that only this user (or root) can have written."""
    mine = status.st_uid in {0, os.geteuid()}
    return mine and not status.st_mode & 0o022


def _seal(key: str, body: Any) -> str:
    return hashlib.sha256(f"{key}|{canonical(body)}".encode()).hexdigest()


def _write(path: Path, key: str, checked: Checked) -> None:
    """Atomic: a reader sees the whole file or none."""
    body = checked.to_plain()
    data = canonical({"key": key, "seal": _seal(key, body), "body": body}).encode()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(
            part,
            os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW,
            0o600,
        )
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _drop_oldest(path.parent, keep=path.name)


def _drop_oldest(folder: Path, keep: str) -> None:
    """Policies of the past are in the journal; the cache stays small."""
    files = sorted(folder.glob("policy-*.json"), key=lambda file: file.stat().st_mtime_ns)
    for file in files[: max(0, len(files) - KEPT_MAX)]:
        if file.name != keep:
            file.unlink(missing_ok=True)
