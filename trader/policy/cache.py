"""The checked form by the hash of what was written: a cycle pays for yaml and pydantic once.

Lives here: the key, and what the file holds. A file that is not believed (see `sealed_files`) or is
of another shape costs another check. Must not live here: the check.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from trader.build import lock_hash
from trader.core.canonical import sha256_of
from trader.policy.checked import Checked
from trader.policy.sealed_files import SEAL_ERRORS, drop_oldest, read_sealed, write_sealed
from trader.policy.sources import PROFILES, Source, env_overrides, profile_bytes, sha_of_file

CACHE_VERSION = 4
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
    if found is not None and all(sha_of_file(file) == sha for file, sha in found.beside.items()):
        return found
    from trader.policy.checking import check_policy

    checked = check_policy(sources, env)
    with contextlib.suppress(OSError):
        write_sealed(path, key, checked.to_plain())
        drop_oldest(cache_dir, "policy-*.json", KEPT_MAX, keep=path.name)
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
    # The zone database is a package: another lock file may bring another one.
    return sha256_of([CACHE_VERSION, code_sha, lock_hash(), profiles, rows, variables])


def _read(path: Path, key: str) -> Checked | None:
    try:
        return Checked.from_plain(read_sealed(path, key))
    except SEAL_ERRORS:
        return None
