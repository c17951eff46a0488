"""Checks that read the sources: style, types, floors, risky calls, secrets.

Lives here: one function per check, from a checkout's folder to a verdict. Each counts what the
tool itself says it has looked at, so that a wrong path or an empty configuration fails. Must not
live here: checks that run the program (suite.py) or read packages (packages.py).
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from verdict import Verdict, call, judge, tool

# Names of made-up credentials in tests and documents: the scan looks elsewhere for real ones.
SECRET_PLUGINS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector",
    "CloudantDetector", "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector",
    "IbmCloudIamDetector", "JwtTokenDetector", "MailchimpDetector", "NpmDetector",
    "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector",
    "SlackDetector", "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)  # fmt: skip
# What an exchange's key pair looks like in a file: a name that says so, and a long random value.
EXCHANGE_KEY = re.compile(
    r"""(?ix)(api_?key|api_?secret|secret_?key|\bsecret|private_?key|passphrase)
    ["']?\s*[:=]\s*["']?(?P<value>[A-Za-z0-9+/_-]{32,})"""
)
DISTINCT_MIN = 16  # different characters; a run of one letter is a placeholder
# Made-up credentials that must look real: (file, what is found) -> why it is there.
MADE_UP = {
    ("tests/ops/test_secrets.py", "Private Key"): "a header and six letters",
    ("tests/policy/broken_app.py", "Basic Auth Credentials"): "an address to refuse",
    ("tests/policy/broken_app.py", "exchange key"): "an exchange's published example",
    ("tests/policy/test_checked_form.py", "exchange key"): "an exchange's published example",
}


def ruff_check(root: Path) -> Verdict:
    """Ruff's rules over every file that it finds itself."""
    ran = call([tool("ruff"), "check", "--no-cache", "."], root)
    return judge(ran.code == 0, ruff_count(root), "files", ran.text)


def ruff_count(root: Path) -> int:
    """How many files ruff looks at."""
    return len(call([tool("ruff"), "check", "--show-files", "."], root).out.splitlines())


def ruff_format(root: Path) -> Verdict:
    """Whether every file is laid out by ruff."""
    ran = call([tool("ruff"), "format", "--no-cache", "--check", "."], root)
    counted = [int(number) for number in re.findall(r"(\d+) files? ", ran.text)]
    return judge(ran.code == 0, sum(counted), "files", ran.text)


def pyright(root: Path) -> Verdict:
    """Strict types over the package."""
    ran = call([tool("basedpyright"), "--outputjson"], root)
    try:
        answer = json.loads(ran.out)
    except ValueError:
        return judge(False, 0, "files", ran.text)
    summary = answer["summary"]
    lines = [
        f"{item['file']}:{item['range']['start']['line'] + 1}: {item['message']}"
        for item in answer["generalDiagnostics"]
    ]
    clean = ran.code == 0 and summary["errorCount"] == 0 and summary["warningCount"] == 0
    return judge(clean, int(summary["filesAnalyzed"]), "files", "\n".join(lines))


def import_linter(root: Path) -> Verdict:
    """The floors, counting imports inside functions and for type checking."""
    ran = call([tool("lint-imports"), "--no-cache"], root, PYTHONPATH=str(root))
    contracts = re.search(r"Contracts: (\d+) kept, (\d+) broken", ran.text)
    analyzed = re.search(r"Analyzed (\d+) files", ran.text)
    kept = int(contracts[1]) if contracts else 0
    files = int(analyzed[1]) if analyzed else 0
    things = f"contracts over {files} files"
    return judge(ran.code == 0 and files > 0, kept if files else 0, things, ran.text)


def bandit(root: Path) -> Verdict:
    """Risky calls in the package and the scripts."""
    words = [tool("bandit"), "-c", "pyproject.toml", "-r", "trader", "-f", "json", "-q"]
    ran = call(words, root)
    try:
        answer = json.loads(ran.out)
    except ValueError:
        return judge(False, 0, "files", ran.text)
    files = [name for name in answer["metrics"] if name != "_totals"]
    lines = [
        f"{found['filename']}:{found['line_number']}: {found['test_id']} {found['issue_text']}"
        for found in [*answer["results"], *answer["errors"]]
        if "test_id" in found
    ]
    clean = ran.code == 0 and not answer["errors"]
    return judge(clean, len(files), "files", "\n".join(lines) or ran.err)


def secrets(root: Path) -> Verdict:
    """Keys and tokens in any file that git knows or would take."""
    listed = call(["git", "ls-files", "-z", "-co", "--exclude-standard"], root)
    names = [name for name in listed.out.split("\0") if name and (root / name).is_file()]
    hits = [(name, *hit) for name in names for hit in scan_file(root / name)]
    findings = [
        f"{name}:{number}: {what}" for name, number, what in hits if (name, what) not in MADE_UP
    ]
    found = {(name, what) for name, _, what in hits}
    findings += [
        f"{name}: no {what} here any more; take it from MADE_UP"
        for name, what in MADE_UP
        if (name, what) not in found
    ]
    return judge(listed.code == 0 and not findings, len(names), "files", "\n".join(findings))


def scan_file(path: Path) -> list[tuple[int, str]]:
    """(line, what it looks like) of each finding; never the secret itself."""
    from detect_secrets.core.scan import scan_file as scan
    from detect_secrets.settings import transient_settings

    with transient_settings({"plugins_used": [{"name": plugin} for plugin in SECRET_PLUGINS]}):
        found = [(hit.line_number, hit.type) for hit in scan(str(path))]
    if path.suffix == ".lock":
        return found  # hashes of packages, each beside its name
    for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
        match = EXCHANGE_KEY.search(line)
        if match and len(set(match["value"])) >= DISTINCT_MIN:
            found.append((number, "exchange key"))
    return found
