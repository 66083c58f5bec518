"""Fakes of what the distribution's packages are asked: dpkg, dpkg-query, dpkg-divert, python3 and OpenSSL."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field

from dcor_pkg.machine.host import Host
from tests.unit.fake_programs.call import Call, Handler


@dataclass
class Packages:
    """Versions and states of the packages, and the diversions of their files."""

    host: Host
    versions: dict[str, str] = field(
        default_factory=lambda: {
            "dcor-server": "1.0.0",
            "dcor-wheels": "2.11.6-1~deb12u1",
            "nginx": "1.22.1-9+deb12u4",
            "openssl": "3.0.17-1~deb12u3",
            "python-ckan": "2.11.6-1~deb12u1",
        }
    )
    #: of packages that are not "installed"
    states: dict[str, str] = field(default_factory=dict)
    #: packages on hold, and those that dpkg would have to install again
    held: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    #: what dcor-server depends on
    depends: str = ""
    #: packages that a source of apt has
    offered: set[str] = field(default_factory=lambda: {"dcor-server"})
    #: what apt would install, of packages of which it is not the installed version
    candidates: dict[str, str] = field(default_factory=dict)
    diversions: dict[str, str] = field(default_factory=dict)
    python: str = "3.11.2"
    #: what `openssl verify` says of a chain that it does not trust
    distrust: str = ""

    def programs(self) -> dict[str, Handler]:
        """Return the handlers by the names of their programs."""
        return {
            "dpkg": self.compare,
            "dpkg-query": self.query,
            "apt-cache": self.policy,
            "dpkg-divert": self.divert,
            "/usr/bin/python3.11": self.python3,
            "openssl": self.openssl,
        }

    def query(self, call: Call) -> str:
        """Answer `dpkg-query --show --showformat=FORMAT PACKAGE...`."""
        assert call.options[0] == "--show", call.argv
        unknown = [package for package in call.words if package not in self.versions]
        if unknown:
            raise call.failure(1, f"dpkg-query: no packages found matching {unknown[0]}\n")
        packages = call.words or tuple(self.versions)
        shown = "".join(self._shown(call.option("--showformat"), package) for package in packages)
        if "${" in shown:
            raise call.unknown()
        return shown

    def compare(self, call: Call) -> str:
        """Answer `dpkg --compare-versions VERSION RELATION VERSION`, by the real one."""
        if call.argv[1] != "--compare-versions":
            raise call.unknown()
        if subprocess.run(call.argv, check=False).returncode:
            raise call.failure(1, "")
        return ""

    def policy(self, call: Call) -> str:
        """Answer `apt-cache policy PACKAGE...`; a package that apt does not know it does not show."""
        if call.words[:1] != ("policy",):
            raise call.unknown()
        return "".join(
            f"{name}:\n  Installed: {self.versions.get(name, '(none)')}\n"
            f"  Candidate: {self.candidates.get(name, self.versions.get(name, '(none)'))}\n"
            f"  Version table:\n *** {self.versions.get(name)} 100\n        100 /var/lib/dpkg/status\n"
            + ("        500 http://deb.debian.org/debian trixie/main amd64 Packages\n" if name in self.offered else "")
            for name in call.words[1:]
            if name in self.versions or name in self.candidates
        )

    def divert(self, call: Call) -> str:
        """Carry out `dpkg-divert --quiet --package NAME --rename [--divert OTHER] --add|--remove PATH`."""
        path = call.argv[-1]
        if "--add" in call.argv:
            other = call.argv[call.argv.index("--divert") + 1]
            if self.diversions.get(path) != other and self.host.exists(path):
                self.host.rename(path, other)
            self.diversions[path] = other
        elif "--remove" in call.argv:
            other = self.diversions.pop(path, "")
            if self.host.exists(other):
                self.host.rename(other, path)
        else:
            raise call.unknown()
        return ""

    def python3(self, call: Call) -> str:
        """Return the version of Python."""
        if call.argv[1:] != ("-I", "-c", "import platform; print(platform.python_version())"):
            raise call.unknown()
        return f"{self.python}\n"

    def openssl(self, call: Call) -> str:
        """Answer `openssl verify` with OK, or with what the machine has against the chain."""
        if call.argv[:3] != ("openssl", "verify", "-purpose"):
            raise call.unknown()
        if self.distrust:
            raise call.failure(2, f"{self.distrust}error {call.argv[-1]}: verification failed\n")
        return f"{call.argv[-1]}: OK\n"

    def _shown(self, form: str, package: str) -> str:
        fields = {
            "${Package}": package,
            "${Version}": self.versions[package],
            "${Depends}": self.depends if package == "dcor-server" else "",
            "${db:Status-Status}": self.states.get(package, "installed"),
            "${db:Status-Want}": "hold" if package in self.held else "install",
            "${db:Status-Eflag}": "reinstreq" if package in self.broken else "ok",
        }
        for name, value in fields.items():
            form = form.replace(name, value)
        return form
