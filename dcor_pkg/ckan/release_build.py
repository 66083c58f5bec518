"""Make a release: python-ckan's tree, the wheels of the release set, the cures of known issues, and own modules.

It is made under another name, next to the releases in use, and gets its own name when it is complete. A change of this
code makes another release on each server (`release_id`).
"""

from __future__ import annotations

from pathlib import Path

from dcor_pkg.ckan import pth_files, release, release_checkouts, release_contents, release_room
from dcor_pkg.ckan.checkouts import Checkout
from dcor_pkg.ckan.known_issues import registry
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import templates
from dcor_pkg.machine import python_environment
from dcor_pkg.machine.facts import REQUIREMENTS
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CURRENT, DIVERTED_SUFFIX, HDF5_WITHOUT_LOCKS, PACKAGED_CKAN

WHEELS = str(Path(REQUIREMENTS).parent)
#: the bytecode of the wheels' modules, made when the package was built; see `_compile`
BYTECODE = f"{WHEELS}/bytecode.tar"
#: the Python that this bytecode is for, in hexadecimal digits (importlib.util.MAGIC_NUMBER)
BYTECODE_MAGIC = f"{WHEELS}/bytecode.magic"
MAGIC = "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"
#: the packages whose files a release consists of
SOURCE_PACKAGES = ("python-ckan", "dcor-wheels")
PUBLIC = Access(0o644)
#: directories in which the theme rewrites files in place: a release must not share these files with python-ckan
WRITTEN_IN_PLACE = ("ckan/i18n/de", "ckan/i18n/en_US", "ckan/templates/package/snippets")
#: upstream's programs that must not run as root
COMMANDS = ("ckan", "dcor")
#: the script that takes their place
GUARD = templates.PACKAGE / "ckan/files/as-ckan"
#: with this program, as libexec/terminal.py, that script keeps CKAN's user away from root's terminal
TERMINAL = templates.PACKAGE / "machine/terminal.py"
#: pip's commands that would change a release, below site-packages, and the module that takes their place
PIP_COMMANDS = ("pip/_internal/commands/install.py", "pip/_internal/commands/uninstall.py")
PIP_REFUSED = templates.PACKAGE / "ckan/files/pip_refused.py"
RUNTIME = templates.PACKAGE / "runtime"
#: what the shell of an administrator gets by bin/activate besides: the same as each Python of the release
ACTIVATED = f"""
if [ -e {HDF5_WITHOUT_LOCKS} ]; then
    export HDF5_USE_FILE_LOCKING="${{HDF5_USE_FILE_LOCKING:-FALSE}}"
fi
"""
#: name and text of a file that each Python of a release reads when it starts. A sitecustomize module would not do:
#: Debian has one of its own, which is found first.
STARTUP = "dcor-server.pth", "import dcor_runtime.startup\n"
#: directory and files by which CKAN finds the plugins of `runtime/` (Python Packaging User Guide, "Entry points")
DISTRIBUTION = "dcor_runtime-1.dist-info"
METADATA = {
    "METADATA": "Metadata-Version: 2.1\nName: dcor-runtime\nVersion: 1\n",
    "entry_points.txt": "[ckan.plugins]\ndcor_server_pages = dcor_runtime.pages:Pages\n",
}


def require_unpacked_packages(host: Host) -> None:
    """Raise DcorError while dpkg unpacks a package that a release consists of, and after that was interrupted."""
    states = host.run("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *SOURCE_PACKAGES)
    for package, _, state in (line.partition(" ") for line in states.splitlines()):
        if state == "half-installed":
            raise DcorError(
                f"The package {package} is being unpacked at the moment, or its unpacking was interrupted.",
                f"Let apt finish (apt install --reinstall {package}), then: dcor-server converge",
            )


def runtime_files() -> list[Path]:
    """Return dcor-server's own files in a release: modules, templates, translations."""
    return sorted(file for file in RUNTIME.rglob("*") if file.is_file() and file.suffix != ".pyc")


def make(host: Host, identity: str, found: tuple[Checkout, ...] = ()) -> None:
    """Make the release with this id, in the place of a damaged one. Raises DcorError; then nothing of it remains.

    `found`: checkouts that take the place of distributions of the tested set.
    """
    home, unfinished = release.directory(identity), release.directory(f".{identity}")
    release_room.require(host)
    require_unpacked_packages(host)
    host.make_directory(release.DIRECTORY, Access(0o755))
    host.remove_tree(unfinished)
    try:
        _fill(host, unfinished, home, found)
        release_contents.record(host, unfinished)
        require_unpacked_packages(host)
        host.run("sync", "--file-system", unfinished)
        release.put_in_place(host, unfinished, identity)
    except BaseException:
        host.remove_tree(unfinished)  # the disk may be full: this makes space again
        raise


def _fill(host: Host, unfinished: str, home: str, found: tuple[Checkout, ...]) -> None:
    """Write everything that the release in `home` will have into the directory `unfinished`."""
    _copy_python_ckan(host, unfinished)
    _install_wheels(host, unfinished)
    _guard_commands(host, unfinished)
    _extend_activate(host, unfinished)
    site = release.site_packages(host, unfinished)
    _guard_pip(host, unfinished, site)
    registry.cure(host, site)
    _add_runtime(host, site)
    _compile(host, unfinished, site)
    pth_files.remove_failing(host, Path(unfinished).name, STARTUP[0])
    path = {"PATH": f"{unfinished}/bin:/usr/bin:/bin"}
    host.run(f"{unfinished}/bin/python", "-m", "dcor_runtime.theme", environment=path)
    licences = f"{site.replace(unfinished, '.')}/ckanext/dcor_schemas/licenses.json"
    host.link(f"{unfinished}/{release.LICENCES}", licences)
    if found:
        release_checkouts.add(host, unfinished, site, found)
    # The migrations of plugins are code, that of developers among them: nothing of that runs as root.
    head = release.run(host, Path(unfinished).name, "python", "-m", "dcor_runtime.database", "head")
    host.write(f"{unfinished}/{release.SCHEMA}", head, PUBLIC)
    _relocate(host, unfinished, home)


def _copy_python_ckan(host: Host, unfinished: str) -> None:
    """Copy python-ckan's tree, by hard links if it is on the same disk (0.3 s instead of 1 s, and no 300 MB).

    dpkg replaces files by renaming, so the linked files of a release never change.
    """
    same_disk = host.path(PACKAGED_CKAN).stat().st_dev == host.path(release.DIRECTORY).stat().st_dev
    host.run("cp", "--archive", *(["--link"] if same_disk else []), PACKAGED_CKAN, unfinished)
    # CKAN's user has to get into each directory, whoever has closed one in the package's tree.
    host.run("find", unfinished, "-type", "d", "-not", "-perm", "-005", "-exec", "chmod", "a+rx", "{}", "+")
    # in an upgrade, the files that dpkg has set aside and is about to remove
    host.run("find", unfinished, "-name", "*.dpkg-*", "-delete")
    # The package's own link is relative to the package's directory.
    host.link(f"{unfinished}/bin/python3", python_environment.program(host, unfinished))
    _restore_packaged_commands(host, f"{unfinished}/bin")
    _unshare(host, unfinished)


def _restore_packaged_commands(host: Host, directory: str) -> None:
    """Replace links to the active release by the package's own files: pip would write through these links."""
    for name in host.names(directory):
        if (host.target(f"{directory}/{name}") or "").startswith(CURRENT):
            host.remove(f"{directory}/{name}")
    for name in host.names(directory):
        if name.endswith(DIVERTED_SUFFIX):
            host.rename(f"{directory}/{name}", f"{directory}/{name.removesuffix(DIVERTED_SUFFIX)}")


def _unshare(host: Host, unfinished: str) -> None:
    """Replace hard links by copies where the theme rewrites files in place."""
    for name in WRITTEN_IN_PLACE:
        shared = f"{release.site_packages(host, unfinished)}/{name}"
        if host.exists(shared):
            host.run("cp", "--archive", shared, f"{shared}.own")
            host.remove_tree(shared)
            host.rename(f"{shared}.own", shared)


def _install_wheels(host: Host, unfinished: str) -> None:
    host.run(
        *(f"{unfinished}/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--no-index", f"--find-links={WHEELS}", "--require-hashes", "--no-deps", "--no-compile"),
        *(f"--requirement={REQUIREMENTS}",),
        environment={"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_CACHE_DIR": "1"},
    )


def _guard_commands(host: Host, unfinished: str) -> None:
    """Put the script GUARD in the place of upstream's programs, and the programs into libexec."""
    host.make_directory(f"{unfinished}/libexec", Access(0o755))
    for name in COMMANDS:
        host.rename(f"{unfinished}/bin/{name}", f"{unfinished}/libexec/{name}")
        host.write(f"{unfinished}/bin/{name}", GUARD.read_text(), Access(0o755))
    host.write(f"{unfinished}/libexec/terminal.py", TERMINAL.read_text(), PUBLIC)


def _extend_activate(host: Host, unfinished: str) -> None:
    """Let bin/activate set what startup.py sets: other programs in an administrator's shell use HDF5 as well."""
    path = f"{unfinished}/bin/activate"
    text, access = host.read(path), host.access(path)
    if text is not None and access is not None:
        host.write(path, f"{text}{ACTIVATED}", access)


def _guard_pip(host: Host, unfinished: str, site: str) -> None:
    """Let pip refuse to change the release, and be found by `dcor status`: it looks beside its own program."""
    for name in PIP_COMMANDS:
        if host.exists(f"{site}/{name}"):
            host.write(f"{site}/{name}", PIP_REFUSED.read_text(), PUBLIC)
    host.link(f"{unfinished}/libexec/pip", "../bin/pip")


def _add_runtime(host: Host, site: str) -> None:
    for file in runtime_files():
        host.write(f"{site}/dcor_runtime/{file.relative_to(RUNTIME)}", file.read_text(encoding="utf-8"), PUBLIC)
    for name, text in METADATA.items():
        host.write(f"{site}/{DISTRIBUTION}/{name}", text, PUBLIC)
    name, text = STARTUP
    host.write(f"{site}/{name}", text, PUBLIC)


def _compile(host: Host, unfinished: str, site: str) -> None:
    """Write the bytecode of every module; that of the wheels is packed with them, for one version of Python.

    `unchecked-hash`: a release never changes, so Python need not compare the times of two files at each import.
    """
    guarded = [f"{site}/{name}" for name in PIP_COMMANDS if host.exists(f"{site}/{name}")]
    places = [f"{site}/dcor_runtime", *guarded, *registry.python_files(host, site)]
    if host.read(BYTECODE_MAGIC) == host.run(f"{unfinished}/bin/python", "-c", MAGIC):
        host.run("tar", "--extract", f"--file={BYTECODE}", f"--directory={site}", "--no-same-owner")
    else:
        places = [site]
    host.run(
        *(f"{unfinished}/bin/python", "-m", "compileall", "-q", "-j0", "--invalidation-mode=unchecked-hash"),
        *places,
    )


def _relocate(host: Host, unfinished: str, home: str) -> None:
    """Replace the virtual environment's own path in its programs and in pyvenv.cfg by its final one."""
    programs = [
        f"{unfinished}/{place}/{name}" for place in ("bin", "libexec") for name in host.names(f"{unfinished}/{place}")
    ]
    for file in (f"{unfinished}/pyvenv.cfg", *programs):
        text, access = host.read(file), host.access(file)
        if host.target(file) is not None or text is None or access is None or "\0" in text:
            continue
        moved = text.replace(unfinished, home).replace(PACKAGED_CKAN, home)
        if moved != text:
            host.write(file, moved, access)
