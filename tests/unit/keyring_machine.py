"""A machine in a directory with the package of the keyring: its scripts as the build makes them, and the real apt.

Nothing outside of the directory is changed. Debconf is a value, the flag that says whether it was answered, and a list
of what somebody will answer; without such a list no question is shown.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DEBIAN = Path(__file__).resolve().parents[2] / "debian"
SOURCE = "/etc/apt/sources.list.d/dcor.sources"
#: directories of a machine, as the scripts name them
ROOTS = "etc|var/lib|usr/lib/apt|usr/share/debconf"
KEYRING = "/usr/share/keyrings/dcor-archive-keyring.gpg"
#: the conffile of former versions
FORMER = f"""# The repository of DCOR servers. URIs can also have a mirror or a directory (file:/media/dcor/apt).
Enabled: no
Types: deb
URIs: https://repository.invalid/
Suites: bookworm
Components: main
Signed-By: {KEYRING}
"""
DEBCONF = """
db=ROOT/debconf
db_get() { RET=$(cat $db/value); }
db_set() { printf '%s\\n' "$2" >$db/value; }
db_fget() { RET=$(cat $db/seen); }
db_fset() { :; }
db_subst() { printf '%s\\n' "$3" >>$db/rejected; }
db_go() { :; }
db_input() {
    case $2 in *unusable) echo "$1" >>$db/errors; return 0 ;; esac
    [ -s $db/answers ] || return 30
    head -n 1 $db/answers >$db/value
    sed -i 1d $db/answers
    echo "$1" >>$db/asked
    echo true >$db/seen
}
"""


@dataclass(frozen=True)
class KeyringMachine:
    """A machine in the directory `root`. The package was built with an address, or without one."""

    root: Path
    address: str = ""

    def __post_init__(self) -> None:
        for name in ("etc/apt/sources.list.d", "var/lib", "usr/lib/apt/methods", "usr/share/debconf", "debconf"):
            self.path(name).mkdir(parents=True, exist_ok=True)
        for name in ("http", "https", "file"):
            self.path(f"/usr/lib/apt/methods/{name}").touch(mode=0o755)
        self.path("/usr/share/debconf/confmodule").write_text(DEBCONF.replace("ROOT", str(self.root)))
        self.path("/debconf/value").write_text("none\n")
        self.path("/debconf/seen").write_text("false\n")
        self.path("/status").touch()
        self.is_debian("bookworm")

    def path(self, path: str) -> Path:
        """Return the real path of a path of this machine."""
        return self.root / path.lstrip("/")

    def is_debian(self, codename: str) -> None:
        """Let this be the Debian of the machine."""
        self.path("/etc/os-release").write_text(f'NAME="Debian GNU/Linux"\nVERSION_CODENAME={codename}\n')

    def preseed(self, answer: str) -> None:
        """Give an answer before the installation."""
        self.path("/debconf/value").write_text(f"{answer}\n")
        self.path("/debconf/seen").write_text("true\n")

    def install(self, *answers: str, former: str = "") -> str:
        """Install the package, or upgrade it from a former version, and return what it says."""
        self._answer(answers)
        return self._run("config", "configure", former) + self._run("postinst", "configure", former)

    def upgrade(self, *answers: str) -> str:
        """Upgrade the package; `answers` are there, if something were asked."""
        return self.install(*answers, former="1")

    def reconfigure(self, *answers: str) -> str:
        """Ask again, and return what is said."""
        self._answer(answers)
        return self._run("config", "reconfigure", "1") + self._run("postinst", "configure", "1", reconfigure="1")

    def trigger(self) -> None:
        """Run what an upgrade of Debian triggers."""
        self._run("postinst", "triggered", "/usr/lib/os-release")

    def remove(self) -> None:
        self._run("postrm", "remove")

    def purge(self) -> None:
        self._run("postrm", "remove")
        self._run("postrm", "purge")

    def debconf(self, name: str) -> list[str]:
        """Return what was asked, rejected, or shown as an error."""
        path = self.path(f"/debconf/{name}")
        return path.read_text().splitlines() if path.exists() else []

    def edit(self, old: str, new: str) -> None:
        """Change a line of the source, as an administrator does."""
        text = self.source
        assert old in text
        self.path(SOURCE).write_text(text.replace(old, new))

    @property
    def source(self) -> str:
        """Return the text of apt's source."""
        return self.path(SOURCE).read_text()

    def targets(self) -> list[str]:
        """Return what apt would fetch first: the address and suite of each source that is not turned off."""
        options = {"Dir": str(self.root), "Dir::Bin::methods": "/usr/lib/apt/methods"}
        options["Dir::State::status"] = str(self.path("/status"))
        argv = ["apt-get", *(f"-o{name}={value}" for name, value in options.items()), "update", "--print-uris"]
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
        assert done.stderr == "", done.stderr
        return [line.split("'")[1] for line in done.stdout.splitlines() if "/InRelease' " in line]

    def _answer(self, answers: Sequence[str]) -> None:
        self.path("/debconf/answers").write_text("".join(f"{answer}\n" for answer in answers))

    def _run(self, name: str, *argv: str, reconfigure: str = "") -> str:
        script = self.path(f"/{name}")
        script.write_text(self._here(self._text(name)))
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "DEBCONF_RECONFIGURE": reconfigure}
        done = subprocess.run(
            ["sh", str(script), *argv], env=environment, capture_output=True, text=True, check=False, cwd="/"
        )
        output = (done.stdout + done.stderr).replace(str(self.root), "")
        return output if not done.returncode else f"{output}exit code {done.returncode}\n"

    def _text(self, name: str) -> str:
        """Return a script as the build makes it: with functions, and config with its address."""
        added = "" if name == "postrm" else (DEBIAN / "dcor-archive-keyring.functions").read_text()
        added += f"\ndefault={self.address}\n" if name == "config" and self.address else ""
        return (DEBIAN / f"dcor-archive-keyring.{name}").read_text().replace("#DEBHELPER#", added)

    def _here(self, text: str) -> str:
        """Return a script with its paths below the directory. Raises AssertionError where one is left."""
        text = re.sub(rf"(?<![\w.])/(?=(?:{ROOTS})/)", f"{self.root}/", text)
        left = re.findall(r"(?<!ROOT)/(?:etc|var|usr|run|tmp|srv)/.*", text.replace(str(self.root), "ROOT"))
        assert [line for line in left if "keyrings" not in line and not line.startswith("/etc/os-release has")] == []
        return text
