"""Credentials: found where they are declared, never shown, never of another mode."""

from __future__ import annotations

import pickle
import traceback
from pathlib import Path

import pytest

from trader.errors import UsageError
from trader.ops.secrets import HIDDEN, NAMES, default_places, load_credentials, redact

KEY, SECRET = "planted-key-1", "planted/secret+2="
TESTNET = {"TRADER_TESTNET_KEY": KEY, "TRADER_TESTNET_SECRET": SECRET}

ONE_TESTNET = {"KEY": ("TRADER_TESTNET_KEY", "")}
ONE_LIVE = {"KEY": ("TRADER_LIVE_KEY", "")}


def secret_file(path: Path, text: str, mode: int = 0o600) -> Path:
    """A file that holds a value."""
    path.write_text(text)
    path.chmod(mode)
    return path


def test_they_come_from_the_environment() -> None:
    found = load_credentials("testnet", default_places("testnet"), TESTNET)
    assert (found["KEY"], found["SECRET"]) == (KEY, SECRET)
    assert found.sources == {"KEY": "environment", "SECRET": "environment"}


def test_they_come_from_files_that_variables_name(tmp_path: Path) -> None:
    path = secret_file(tmp_path / "key", KEY + "\n")
    env = {"TRADER_TESTNET_KEY_FILE": str(path), "TRADER_TESTNET_KEY": "not this one"}
    assert load_credentials("testnet", ONE_TESTNET, env)["KEY"] == KEY


def test_systemds_folder_comes_first(tmp_path: Path) -> None:
    secret_file(tmp_path / "TRADER_LIVE_KEY", "of the folder", 0o440)
    (tmp_path / "TRADER_LIVE_KEY").write_text("folder-key")
    found = load_credentials("live", ONE_LIVE, {"TRADER_LIVE_KEY": "env-key"}, tmp_path)
    assert found["KEY"] == "folder-key"
    assert found.sources["KEY"] == str(tmp_path / "TRADER_LIVE_KEY")


def test_every_missing_name_is_told_at_once() -> None:
    with pytest.raises(UsageError, match="TRADER_LIVE_KEY, TRADER_LIVE_SECRET"):
        load_credentials("live", default_places("live"), {"TRADER_LIVE_KEY": "  "})


@pytest.mark.parametrize(("has", "wants"), [("testnet", "live"), ("live", "testnet")])
def test_testnet_and_live_never_fall_back_to_each_other(
    has: str, wants: str, tmp_path: Path
) -> None:
    env = {f"TRADER_{has.upper()}_{name}": "value" for name in NAMES}
    env |= {"TRADER_KEY": "generic", "TRADER_SECRET": "generic"}
    for name in NAMES:
        secret_file(tmp_path / f"TRADER_{has.upper()}_{name}", "value")
    with pytest.raises(UsageError, match=f"no credentials for mode {wants}"):
        load_credentials(wants, default_places(wants), env, tmp_path)


def test_paper_has_no_credentials() -> None:
    with pytest.raises(UsageError, match="mode paper has no credentials"):
        load_credentials("paper", default_places("paper"), TESTNET)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = secret_file(tmp_path / "key", KEY, 0o644)
    with pytest.raises(UsageError, match="every user may read") as refusal:
        load_credentials("testnet", ONE_TESTNET, {"TRADER_TESTNET_KEY_FILE": str(path)})
    assert KEY not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"a\nb", b"\xff\xfe", b"nul\x00"])
def test_a_file_without_one_plain_value_is_refused(tmp_path: Path, content: bytes) -> None:
    path = secret_file(tmp_path / "key", "")
    path.write_bytes(content)
    with pytest.raises(UsageError, match="key"):
        load_credentials("testnet", ONE_TESTNET, {"TRADER_TESTNET_KEY_FILE": str(path)})


def test_a_named_file_that_is_not_there_is_no_reason_to_look_elsewhere(tmp_path: Path) -> None:
    env = {"TRADER_TESTNET_KEY_FILE": str(tmp_path / "absent"), "TRADER_TESTNET_KEY": KEY}
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load_credentials("testnet", ONE_TESTNET, env)


def test_values_are_not_shown_by_accident() -> None:
    found = load_credentials("testnet", default_places("testnet"), TESTNET)
    shown = f"{found} {found!r} {[found]} {found.sources}"
    try:
        found["PASSPHRASE"]
    except KeyError:
        shown += traceback.format_exc()
    assert KEY not in shown
    assert SECRET not in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(found)


def test_redaction_hides_values_plain_and_in_urls() -> None:
    found = load_credentials("testnet", default_places("testnet"), TESTNET)
    said = f"GET /?key={KEY}&s=planted%2Fsecret%2B2%3D or planted/secret%2B2%3D or {SECRET}"
    assert redact(said, found) == f"GET /?key={HIDDEN}&s={HIDDEN} or {HIDDEN} or {HIDDEN}"
    assert redact("nothing", None) == "nothing"


def test_a_file_of_the_policy_comes_before_the_environment(tmp_path: Path) -> None:
    path = secret_file(tmp_path / "key", "file-key")
    places = {"KEY": ("TRADER_TESTNET_KEY", str(path))}
    assert load_credentials("testnet", places, TESTNET)["KEY"] == "file-key"


@pytest.mark.parametrize(
    ("mode", "variable"),
    [("live", "TRADER_TESTNET_KEY"), ("testnet", "TRADER_LIVE_KEY"), ("live", "my_testnet_key")],
)
def test_a_name_of_the_other_mode_is_refused(mode: str, variable: str) -> None:
    with pytest.raises(UsageError, match="keep the keys of testnet and live apart"):
        load_credentials(mode, {"KEY": (variable, "")}, {variable: "value"})


def test_a_private_key_of_several_lines_is_one_value(tmp_path: Path) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----"
    path = secret_file(tmp_path / "pem", pem + "\n")
    env = {"TRADER_TESTNET_KEY_FILE": str(path)}
    assert load_credentials("testnet", ONE_TESTNET, env)["KEY"] == pem
