"""One ccxt exchange class, imported alone and without what a cycle never uses.

Lives here: the only import of ccxt. `import ccxt` costs forty bare interpreters because its
`__init__` imports every exchange; a bare module object with the package's search path in its
place lets one class be imported alone. While that happens, libraries that only other signing
schemes or other content types need are stood in for by objects that import the real thing on
first use. Each trick is guarded: when one does not work, the whole package is imported as its
makers meant it. Must not live here: anything about orders or markets.
"""

from __future__ import annotations

import gc
import importlib
import sys
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

from trader.errors import UsageError

# RSA and elliptic-curve signatures; HMAC keys never need them.
_SIGNING = (
    "cryptography",
    "cryptography.hazmat",
    "cryptography.hazmat.primitives",
    "cryptography.hazmat.primitives.asymmetric",
    "cryptography.hazmat.primitives.asymmetric.utils",
    "cryptography.hazmat.primitives.serialization",
)
# Guesses the encoding of a body that names none; ccxt always sets UTF-8 itself.
_CHARSET = "charset_normalizer"
# Asked by urllib3 for the version of an HTTP/2 library that ccxt does not use.
_METADATA = "importlib.metadata"


class Deferred:
    """Something that is imported when it is first used, not when it is named."""

    building = False

    def __init__(self, module: str, *path: str) -> None:
        self._module = module
        self._path = path

    def resolve(self) -> Any:
        """The real thing."""
        found: Any = importlib.import_module(self._module)
        for name in self._path:
            if isinstance(found, ModuleType) and not hasattr(found, name):
                # A submodule that nobody has imported yet.
                found = importlib.import_module(f"{found.__name__}.{name}")
            else:
                found = getattr(found, name)
        return found

    def __getattr__(self, name: str) -> Any:
        """While modules are being imported a part that is deferred, too; later the real part."""
        if name.startswith("__"):
            raise AttributeError(name)
        if Deferred.building:
            return Deferred(self._module, *self._path, name)
        return getattr(self.resolve(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the real thing."""
        return self.resolve()(*args, **kwargs)


class _StandIn(ModuleType):
    """A module in name only: what is taken from it is Deferred."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__dict__["__path__"] = []

    def __getattr__(self, name: str) -> Any:
        """Something to be imported when it is used."""
        if name.startswith("__"):
            raise AttributeError(name)
        return Deferred(self.__name__, name)


def load_exchange_class(exchange_id: str, *, whole: bool = False) -> type[Any]:
    """The ccxt class of an exchange, e.g. `binance`; `whole` imports the package as usual.

    Raises UsageError when ccxt does not know the exchange or is not installed.
    """
    if not exchange_id.isidentifier():
        raise UsageError(f"exchange {exchange_id!r}: not a name of an exchange")
    present = sys.modules.get("ccxt")
    if not whole and (present is None or getattr(present, "_trader_alone", False)):
        found = _load_alone(exchange_id)
        if found is not None:
            return found
    return _load_whole(exchange_id)


def _load_alone(exchange_id: str) -> type[Any] | None:
    """The class without its siblings; None when that does not work with this ccxt."""
    if "ccxt" not in sys.modules:
        spec = PathFinder.find_spec("ccxt")
        if spec is None or spec.submodule_search_locations is None:
            return None
        bare = ModuleType("ccxt")
        bare.__path__ = list(spec.submodule_search_locations)
        bare.__spec__ = spec
        bare.__dict__["_trader_alone"] = True
        sys.modules["ccxt"] = bare
    stood_in = _stand_in()
    collecting = gc.isenabled()
    # Nothing that is imported becomes garbage: collections in between only cost time.
    gc.disable()
    Deferred.building = True
    try:
        module = importlib.import_module(f"ccxt.{exchange_id}")
        found = getattr(module, exchange_id)
    except (ImportError, AttributeError, TypeError):
        _forget_ccxt()
        return None
    finally:
        Deferred.building = False
        if collecting:
            gc.enable()
        _step_aside(stood_in)
    return found if isinstance(found, type) else None


def _load_whole(exchange_id: str) -> type[Any]:
    _forget_ccxt()
    try:
        package = importlib.import_module("ccxt")
    except ImportError as error:
        raise UsageError(f"ccxt cannot be imported: {error}", "install the locked set") from error
    found = getattr(package, exchange_id, None)
    if not isinstance(found, type):
        raise UsageError(f"exchange {exchange_id!r}: ccxt does not know it")
    return found


def _stand_in() -> dict[str, ModuleType]:
    """Put stand-ins where the real modules are not imported yet; returns what was put."""
    made: dict[str, ModuleType] = {}
    if _SIGNING[0] not in sys.modules:
        made.update({name: _StandIn(name) for name in _SIGNING})
    if _CHARSET not in sys.modules and PathFinder.find_spec(_CHARSET) is not None:
        module = ModuleType(_CHARSET)
        # requests checks that the version is 2 or 3; `detect` is the only thing it calls.
        module.__dict__.update(__version__="3.0.0", detect=Deferred(_CHARSET, "detect"))
        made[_CHARSET] = module
    if _METADATA not in sys.modules:
        module = ModuleType(_METADATA)
        module.__dict__["version"] = Deferred(_METADATA, "version")
        made[_METADATA] = module
    sys.modules.update(made)
    return made


def _step_aside(stood_in: dict[str, ModuleType]) -> None:
    """Take the stand-ins away, so that whoever imports the names gets the real modules."""
    for name, module in stood_in.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
        alias = f"requests.packages.{name}"
        if sys.modules.get(alias) is module:
            del sys.modules[alias]
    chardet = sys.modules.get("requests.packages.chardet")
    if chardet is not None and chardet is stood_in.get(_CHARSET):
        del sys.modules["requests.packages.chardet"]


def _forget_ccxt() -> None:
    """Remove the bare package and what was imported under it; a whole package stays."""
    if not getattr(sys.modules.get("ccxt"), "_trader_alone", False):
        return
    for name in [name for name in sys.modules if name == "ccxt" or name.startswith("ccxt.")]:
        del sys.modules[name]
