"""The commands about certificates, access tokens, users and circles speak German, as far as their code reaches.

Every message of theirs is marked in the code, every marked one has a German text, and no text is there for nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcor_pkg.cli import VERBS
from tests.unit import messages
from tests.unit.answers.test_templates import translations

PACKAGE = messages.TREE / "dcor_pkg"
#: the commands that speak the language of the terminal
TRANSLATED = ("certificate", "user", "circle", "token")
#: the modules whose messages they write, each of which is marked
MODULES = (
    "cli.py",
    "kernel/settings_file.py",
    *(f"machine/{name}.py" for name in ("clock", "disk", "error_boundary", "exclusive_file", "file_errors", "lock")),
    "machine/trusted_path.py",
    *(f"runtime/{name}.py" for name in ("access_tokens", "circles", "requested", "users")),
    "status/fingerprint.py",
    *(
        f"tls/{name}.py"
        for name in ("acme", "acme_client", "acme_state", "chain", "description", "imported", "own_certificate")
    ),
    *(f"tls/{name}.py" for name in ("pair", "trust_anchor", "x509_properties")),
    *(f"tokens/{name}.py" for name in ("access_file", "served")),
    *(f"verbs/{name}.py" for name in ("active_release", "certificate", "circle", "names", "runtime_module")),
    *(f"verbs/{name}.py" for name in ("token_making", "tokens", "user")),
)
#: what calls of these contain is no message: argparse writes English, and all reasons of validators are collected
DECLARATIONS = (
    "argument",
    "_days_argument",
    "Action",
    "Verb",
    "verb_of",
    "ArgumentParser",
    "ArgumentTypeError",
    "Validator",
)
#: what they are given is written to the administrator
WRITERS = ("DcorError", "InvalidAnswer", "UntrustedPath", "Busy", "NotIssued", "Useless", "Message", "out", "err")
#: texts of more than a word that nobody reads as a message, and commands
OTHERS = {
    "cli.py": {"exit codes: 0 all is right, 1 failed, 2 wrong usage, 3 not as it should be (drift, unhealthy)"},
    "machine/clock.py": {"the clock of this machine is wrong"},  # status says it
    "runtime/access_tokens.py": {"dcor-server access token"},
    # what a converge and status say
    "tls/acme.py": {
        "certificate of the authority",
        "{} is to be asked now",
        "{} is to be asked, because the certificate {}",
        "is self-signed",
        "was issued by {}",
        "was not renewed",
        "It is asked again by itself after {} UTC; at once: dcor-server certificate renew",
    },
    # of certbot
    "tls/acme_client.py": {
        "Account registered",
        "An unexpected error occurred",
        "Ask for help",
        "Saving debug log",
        "reported error code",
    },
    "tls/trust_anchor.py": {"dcor-server converge"},
    "tls/x509_properties.py": {
        "-----BEGIN CERTIFICATE-----",
        "-----END CERTIFICATE-----",
        "there is no certificate",  # of an exception that no administrator sees
    },
}
SENTENCE = re.compile(r"[A-Za-z]{2,}[,;:.]? +[A-Za-z(]")


def values(node: ast.AST) -> Iterator[str]:
    """Give the text of a string, with {} in the place of each value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(it.value) if isinstance(it, ast.Constant) else "{}" for it in node.values)


def unmarked(node: ast.AST) -> Iterator[str]:
    """Give the texts below a node that may be messages, and are not marked."""
    if messages.called(node) in (*messages.MARKS, *DECLARATIONS):
        return
    if messages.called(node) in WRITERS:
        assert isinstance(node, ast.Call)
        yield from (text for it in node.args for text in values(it) if re.search("[A-Za-z]{2}", text))
    yield from (text for text in values(node) if SENTENCE.search(text))
    for child in () if isinstance(node, ast.JoinedStr) else ast.iter_child_nodes(node):
        if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):  # a docstring
            yield from unmarked(child)


@pytest.mark.parametrize("name", MODULES)
def test_each_message_is_marked(name: str) -> None:
    found = {text for text in unmarked(messages.parsed(PACKAGE / name)) if not text.startswith("dcor-server/")}
    assert found == OTHERS.get(name, set())


@pytest.mark.parametrize(
    "line",
    [
        'raise DcorError("There is none.")',
        'raise DcorError(_("There is none."), f"See {file} for more.")',
        'console.out("done")',
        'def f():\n    """Do it well."""\n    return "is missing"',
        'console.err(message(f"{user} is gone", ""))',
    ],
)
def test_a_message_that_is_not_marked_is_found(line: str) -> None:
    assert len(set(unmarked(ast.parse(line)))) == 1


def test_each_message_has_a_german_text_and_none_is_there_for_nothing() -> None:
    german = messages.german()
    header = german.pop("")
    assert "Language: de\n" in header
    assert set(german) == messages.marked()
    assert [english for english, text in german.items() if text in ("", english)] == []
    assert [
        line for line in messages.CATALOGUE.read_text(encoding="utf-8").splitlines() if line[:2] in ("#,", "#~")
    ] == []


def test_a_german_text_has_the_placeholders_of_the_english_one() -> None:
    texts = messages.german().items()
    assert [it for it in texts if messages.placeholders(it[0]) != messages.placeholders(it[1])] == []


def test_what_debconf_says_too_is_said_in_the_same_words() -> None:
    questions, german = translations(), messages.german()
    both = (questions.keys() & german.keys()) - {""}
    assert "is not an email address" in both
    assert {text for text in both if questions[text] != german[text]} == set()


def test_the_commands_of_the_catalogue_and_no_others_are_translated() -> None:
    assert {verb.name for verb in VERBS if verb.translated} == set(TRANSLATED)


def test_the_catalogue_compiles(german_catalogue: Path) -> None:
    assert (german_catalogue / "de/LC_MESSAGES/dcor-server.mo").stat().st_size > 10000
