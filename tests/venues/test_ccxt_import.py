"""The import of one class: alone when possible, whole when not, complete in either case."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _run(code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_an_unknown_exchange_is_a_usage_error() -> None:
    code = """
from trader.errors import UsageError
from trader.venues.ccxt_import import load_exchange_class
for name in ("nonesuch", "../binance", ""):
    try:
        load_exchange_class(name)
    except UsageError as error:
        print(repr(name) in str(error))
"""
    assert _run(code) == "True\nTrue\nTrue"


def test_what_was_stood_in_for_is_the_real_thing_afterwards() -> None:
    code = """
from trader.venues.ccxt_import import load_exchange_class
load_exchange_class("binance")
import importlib.metadata, charset_normalizer
from cryptography.hazmat.primitives import hashes
print(importlib.metadata.version("ccxt"), bool(charset_normalizer.detect), hashes.SHA256().name)
import requests
response = requests.Response(); response._content = "déjà vu".encode("latin-1")
print(response.apparent_encoding is not None)
"""
    assert _run(code) == "4.5.90 True sha256\nTrue"


def test_keys_that_need_the_libraries_stood_in_for_sign_the_same() -> None:
    code = """
import sys
from trader.venues.ccxt_import import load_exchange_class
alone = load_exchange_class("binance")
assert "cryptography" not in sys.modules
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
def pem(key):
    return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()).decode()
keys = [pem(rsa.generate_private_key(65537, 2048)), pem(ed25519.Ed25519PrivateKey.generate())]
def signed(kind):
    made = []
    for key in keys:
        exchange = kind({"apiKey": "k", "secret": key})
        exchange.nonce = lambda: 1
        made.append(exchange.sign("account", ["private"], "GET", {})["url"])
    made.append(exchange.ecdsa("ab" * 32, "cd" * 32, "secp256k1", None)["r"])
    return made
first = signed(alone)
whole = load_exchange_class("binance", whole=True)
assert whole is not alone
assert signed(whole) == first
print(len(set(first)))
"""
    assert _run(code) == "3"


def test_a_ccxt_that_cannot_be_imported_alone_is_imported_whole(tmp_path: Path) -> None:
    package = tmp_path / "ccxt"
    package.mkdir()
    (package / "__init__.py").write_text("ready = 1\nfrom ccxt.binance import binance\n")
    (package / "binance.py").write_text("import ccxt\nccxt.ready\nclass binance: pass\n")
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from trader.venues.ccxt_import import load_exchange_class
kind = load_exchange_class("binance")
print(kind.__module__, sys.modules["ccxt"].ready)
"""
    assert _run(code) == "ccxt.binance 1"


def test_a_whole_import_that_is_there_already_is_used() -> None:
    code = """
import ccxt
from trader.venues.ccxt_import import load_exchange_class
print(load_exchange_class("binance") is ccxt.binance)
"""
    assert _run(code) == "True"


def test_two_classes_can_be_imported_one_after_the_other() -> None:
    code = """
from trader.venues.ccxt_import import load_exchange_class
print(load_exchange_class("binance")().id, load_exchange_class("kraken")().id)
"""
    assert _run(code) == "binance kraken"
