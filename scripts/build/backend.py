"""The packaging backend: setuptools, after the core has been compiled in place.

Lives here: the hooks that pip calls (`pip install .`, `pip install -e .`) and the wheel's platform
tag. Must not live here: compiling (core.py).
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Any

import core
from setuptools import build_meta

Settings = dict[str, Any] | None

get_requires_for_build_wheel = build_meta.get_requires_for_build_wheel
get_requires_for_build_editable = build_meta.get_requires_for_build_editable
get_requires_for_build_sdist = build_meta.get_requires_for_build_sdist
prepare_metadata_for_build_wheel = build_meta.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = build_meta.prepare_metadata_for_build_editable
build_sdist = build_meta.build_sdist


def _compile() -> bool:
    """Compile the core; whether the package now holds an extension of this interpreter."""
    print(core.build(), file=sys.stderr)
    layout = core.layout_of(core.ROOT)
    return layout.extension(core.STAMP).is_file()


def _clear_stale_copies() -> None:
    """Setuptools copies into build/lib and never takes away what has left the sources."""
    for path in Path("build").glob("lib*/trader/core/*"):
        path.unlink()


def build_wheel(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: Any = None
) -> str:
    """A wheel with the compiled core, tagged for this platform; a pure one when it cannot be."""
    settings = dict(config_settings or {})
    _clear_stale_copies()
    if _compile():
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        python = f"cp{sys.version_info.major}{sys.version_info.minor}"
        settings["--build-option"] = [f"--plat-name={platform}", f"--python-tag={python}"]
    return build_meta.build_wheel(wheel_directory, settings, metadata_directory)


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: Any = None
) -> str:
    """An editable install: the core is compiled beside its sources."""
    _compile()
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)
