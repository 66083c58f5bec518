"""Releases: immutable virtual environments, made beside the running one and complete before anything points at them.

`/usr/lib/ckan/default` belongs to dpkg and changes under our feet in an upgrade; services never run from it.
A release is named after all that it is made of, so "is the active one the wanted one" compares two words.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from dcor_pkg.ckan import known_issues
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import templates
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import disk, lock
from dcor_pkg.machine.facts import REQUIREMENTS, Facts
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import PACKAGED_CKAN

DIRECTORY = "/var/lib/dcor-server/releases"
CURRENT = "/var/lib/dcor-server/current"
WHEELS = str(Path(REQUIREMENTS).parent)
#: of the wheels' modules, made when the package was built; see `_compile`
BYTECODE = f"{WHEELS}/bytecode.tar"
#: for which Python that is, in hexadecimal digits (importlib.util.MAGIC_NUMBER)
BYTECODE_MAGIC = f"{WHEELS}/bytecode.magic"
MAGIC = "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"
CKAN_INI = "/etc/ckan/default/ckan.ini"
USER = "www-data"
#: the packages whose files are in a release
MADE_OF = ("python-ckan", "dcor-wheels")
#: bytes that have to be free for a release, with its copy in making
ROOM = 3 * disk.GIB
PUBLIC = Access(0o644)
#: in a release: the newest revision of its CKAN's tables
SCHEMA = "schema-revision"
#: in a release: CKAN's licences, of a path that does not name a Python
LICENCES = "licenses.json"
#: What the theme changes in place, through an inode that it must not share with python-ckan's files.
WRITTEN_IN_PLACE = ("ckan/i18n/en_US", "ckan/templates/package/snippets")
#: python-ckan's own files have it behind their names where links to the active release lie in their place
DIVERTED = ".distrib"
#: upstream's programs that must not run as root
COMMANDS = ("ckan", "dcor")
RUNTIME = templates.PACKAGE / "runtime"
#: what each Python of a release runs when it starts; a sitecustomize of ours would stand behind Debian's own
STARTUP = "dcor-server.pth", "import dcor_runtime.startup\n"


def wanted(facts: Facts) -> str:
    """Return the id of the release that this machine should run.

    How its programs are started counts too: another way is gone over to like another release, without a gap.
    """
    made_of = [facts.ckan, facts.release_set, facts.python, known_issues.fingerprint()]
    made_of += [
        (templates.PACKAGE / "ckan/files/as-ckan").read_text(),
        (templates.PACKAGE / "ckan/templates/programs.conf").read_text(),
        *STARTUP,
        *(file.read_text() for file in sorted(RUNTIME.glob("*.py"))),
    ]
    return f"{facts.ckan.split('-')[0]}-{hashlib.sha256(chr(0).join(made_of).encode()).hexdigest()[:10]}"


def directory(release: str) -> str:
    """Return where a release lies."""
    return f"{DIRECTORY}/{release}"


def ids(host: Host) -> list[str]:
    """Return the releases that are complete."""
    return [name for name in host.names(DIRECTORY) if is_made(host, name)]


def is_made(host: Host, release: str) -> bool:
    """Tell whether a release is complete: in making it has another name, and in removal it loses this file first."""
    return not release.startswith(".") and host.exists(f"{directory(release)}/{SCHEMA}")


def left_over(host: Host) -> list[str]:
    """Return what a power cut has left of releases in making or in removal; nothing while somebody makes one."""
    if lock.is_held(host, lock.RELEASE):
        return []
    return [name for name in host.names(DIRECTORY) if not is_made(host, name)]


def active(host: Host) -> str | None:
    """Return the id of the release that `current` points at."""
    target = host.target(CURRENT)
    return None if target is None else Path(target).name


def run(host: Host, release: str, program: str, *arguments: str, timeout: float = 600) -> str:
    """Run a program of a release as CKAN's user, never as root, and return what it said."""
    home = directory(release)
    return host.run(
        f"{home}/bin/{program}",
        *arguments,
        user=USER,
        environment={"CKAN_INI": CKAN_INI, "PATH": f"{home}/bin:/usr/bin:/bin", "HOME": "/var/www"},
        timeout=timeout,
    )


def require_space(host: Host) -> None:
    """Raise DcorError where a release would fill the disk."""
    disk.require(host, DIRECTORY, ROOM)


def check_space(host: Host, _: Proposal) -> None:
    """Raise DcorError where the first release would fill the disk; later ones are checked when they are made."""
    if not ids(host):
        require_space(host)


def require_whole_packages(host: Host) -> None:
    """Raise DcorError while dpkg unpacks what a release is made of, and where it was cut off in that."""
    states = host.run("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *MADE_OF)
    for package, _, state in (line.partition(" ") for line in states.splitlines()):
        if state == "half-installed":
            raise DcorError(
                f"{package} is just being unpacked, or that was cut off.",
                f"When apt has ended well (apt install --reinstall {package}), so does dcor-server converge.",
            )


def make(host: Host, release: str) -> None:
    """Make a release under another name, and give it its own when nothing is missing from it."""
    home, beside = directory(release), f"{DIRECTORY}/.{release}"
    require_space(host)
    require_whole_packages(host)
    host.make_directory(DIRECTORY, Access(0o755))
    host.remove_tree(beside)
    try:
        _fill(host, beside, home)
        require_whole_packages(host)
        host.run("sync", "--file-system", beside)
        host.rename(beside, home)
    except BaseException:
        host.remove_tree(beside)  # on a disk that is full, that is the way to go on
        raise


def _fill(host: Host, beside: str, home: str) -> None:
    """Put everything into `beside` that a release has when it lies in `home`."""
    _copy_python_ckan(host, beside)
    _install_wheels(host, beside)
    _guard_commands(host, beside)
    site = site_packages(host, beside)
    known_issues.cure(host, site)
    _add_runtime(host, site)
    _compile(host, beside, site)
    host.run(f"{beside}/bin/python", "-m", "dcor_runtime.theme", environment={"PATH": f"{beside}/bin:/usr/bin:/bin"})
    head = host.run(f"{beside}/bin/python", "-m", "dcor_runtime.database", "head")
    host.write(f"{beside}/{SCHEMA}", head, PUBLIC)
    host.link(f"{beside}/{LICENCES}", f"{site.replace(beside, '.')}/ckanext/dcor_schemas/licenses.json")
    _relocate(host, beside, home)


def site_packages(host: Host, home: str) -> str:
    """Return the directory of the modules, which alone knows Python's version."""
    (lib,) = (name for name in host.names(f"{home}/lib") if name.startswith("python3"))
    return f"{home}/lib/{lib}/site-packages"


def remove(host: Host, release: str) -> None:
    """Remove a release that nothing points at; half removed, it is none any more."""
    host.remove(f"{directory(release)}/{SCHEMA}")
    host.remove_tree(directory(release))


def _copy_python_ckan(host: Host, beside: str) -> None:
    """Copy the tree by hard links where they can be (0.3 of 300 MB, 1 of 9 s).

    dpkg replaces files by renaming, so links of a release keep what they have.
    """
    same = host.path(PACKAGED_CKAN).stat().st_dev == host.path(DIRECTORY).stat().st_dev
    host.run("cp", "--archive", *(["--link"] if same else []), PACKAGED_CKAN, beside)
    # of the packages' files, those that dpkg has put aside and is about to remove
    host.run("find", beside, "-name", "*.dpkg-*", "-delete")
    host.link(f"{beside}/bin/python3", "/usr/bin/python3")  # the package has it relative to its own place
    _put_commands_back(host, f"{beside}/bin")
    _unshare(host, beside)


def _put_commands_back(host: Host, directory: str) -> None:
    """Remove the admin's links, through which pip would write into the active release, and have what they stand for."""
    for name in host.names(directory):
        if (host.target(f"{directory}/{name}") or "").startswith(CURRENT):
            host.remove(f"{directory}/{name}")
    for name in host.names(directory):
        if name.endswith(DIVERTED):
            host.rename(f"{directory}/{name}", f"{directory}/{name.removesuffix(DIVERTED)}")


def _unshare(host: Host, beside: str) -> None:
    """Copy what the theme changes in place."""
    for name in WRITTEN_IN_PLACE:
        shared = f"{site_packages(host, beside)}/{name}"
        if host.exists(shared):
            host.run("cp", "--archive", shared, f"{shared}.own")
            host.remove_tree(shared)
            host.rename(f"{shared}.own", shared)


def _install_wheels(host: Host, beside: str) -> None:
    host.run(
        *(f"{beside}/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--no-index", f"--find-links={WHEELS}", "--require-hashes", "--no-deps", "--no-compile"),
        *(f"--requirement={REQUIREMENTS}",),
        environment={"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_CACHE_DIR": "1"},
    )


def _guard_commands(host: Host, beside: str) -> None:
    host.make_directory(f"{beside}/libexec", Access(0o755))
    for name in COMMANDS:
        host.rename(f"{beside}/bin/{name}", f"{beside}/libexec/{name}")
        host.write(f"{beside}/bin/{name}", (templates.PACKAGE / "ckan/files/as-ckan").read_text(), Access(0o755))


def _add_runtime(host: Host, site: str) -> None:
    for file in sorted(RUNTIME.glob("*.py")):
        host.write(f"{site}/dcor_runtime/{file.name}", file.read_text(), PUBLIC)
    name, text = STARTUP
    host.write(f"{site}/{name}", text, PUBLIC)


def _compile(host: Host, beside: str, site: str) -> None:
    """Give every module its bytecode; that of the wheels comes with them, for the Python that they were packed with.

    `unchecked-hash`: a release is immutable, so Python need not compare the times of two files at each import.
    """
    places = [f"{site}/dcor_runtime", *known_issues.cured_files(site)]
    if host.read(BYTECODE_MAGIC) == host.run(f"{beside}/bin/python", "-c", MAGIC):
        host.run("tar", "--extract", f"--file={BYTECODE}", f"--directory={site}", "--no-same-owner")
    else:
        places = [site]
    host.run(
        *(f"{beside}/bin/python", "-m", "compileall", "-q", "-j0", "--invalidation-mode=unchecked-hash"),
        *places,
    )


def _relocate(host: Host, beside: str, home: str) -> None:
    """Turn the paths that a virtual environment knows of itself (bin/*, pyvenv.cfg) to where it will lie."""
    programs = [f"{beside}/{place}/{name}" for place in ("bin", "libexec") for name in host.names(f"{beside}/{place}")]
    for file in [f"{beside}/pyvenv.cfg", *programs]:
        if host.target(file) is not None:
            continue
        text = host.read(file)
        access = host.access(file)
        if text is None or access is None or "\0" in text:
            continue
        moved = text.replace(beside, home).replace(PACKAGED_CKAN, home)
        if moved != text:
            host.write(file, moved, access)
