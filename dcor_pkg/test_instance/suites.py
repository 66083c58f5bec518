"""Run the suites of upstream: which there are, and one of them, as CKAN's user, where it reaches nothing of production.

A suite deletes what it finds: with production's configuration one of them deletes every measurement. So a suite runs in
a unit that does not see production's sockets, data and configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan.checkouts import PLACE_HINT
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.machine import output_file
from dcor_pkg.machine.followed_file import Report
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_INI, CKAN_USER, CONFIGURATION, PRESERVED
from dcor_pkg.runtime import REGION
from dcor_pkg.test_instance import services
from dcor_pkg.test_instance.places import ENVIRONMENT, FILES, HOME, INI, PACKAGE, SHIPPED, SUITES
from dcor_pkg.tls.trust_bundle import BUNDLE

SHIPPED_SUITES = f"{SHIPPED}/suites"
#: a suite that hangs is ended
TIMEOUT_SECONDS = 3600
#: what of production a suite does not see, besides its data
HIDDEN = (
    *("/run/dcor-ckan", "/run/dcor-object-store", "/run/dcor-store-door", "/run/redis-dcor", "/run/postgresql"),
    *("/var/lib/ckan", PRESERVED, CKAN_INI),
)
#: With what a suite of a checkout begins: systemd, as root, must have mounted the directory that CKAN's user can see,
#: and not another one to which the owner of the checkout has made a link in the meantime.
ONLY_SEEN = 'test "$(stat --format=%d:%i "$1")" = "$2" || exit 70; shift 2; exec "$@"'
#: exit codes of pytest that say that tests were run, and what others say (its documentation, "Exit codes")
RAN = (0, 1)
WHY = {
    4: "pytest does not know these arguments",
    5: "it has no test that was asked for",
    70: "another directory has taken the place of the checkout",
}
LOG_LINES = 15


def names(host: Host) -> list[str]:
    """Return the names of the suites that the package brings. Raises DcorError where there is none."""
    found = [name for name in host.names(SHIPPED_SUITES) if host.exists(shipped(name).tests)]
    if not found:
        raise DcorError(f"The suites are missing: {SHIPPED_SUITES}", f"apt install --reinstall {PACKAGE}")
    return found


def require_visible(settings: Settings, path: str) -> None:
    """Raise DcorError for a path that no suite sees."""
    above = {path, *map(str, PurePosixPath(path).parents)}
    hidden = next((place for place in (*HIDDEN, CONFIGURATION, settings.data) if place in above), None)
    if hidden is not None:
        raise DcorError(f"{path} is in {hidden}, of which a suite sees nothing.", PLACE_HINT)


def log(name: str) -> str:
    """Return the path of what pytest has printed."""
    return f"{HOME}/logs/{name}.log"


@dataclass(frozen=True)
class Suite:
    """Tests, by the name of the extension that they are of."""

    name: str
    #: the directory
    tests: str
    #: a directory that they see as well, wherever it is
    checkout: str = ""


def shipped(name: str) -> Suite:
    """Return a suite as upstream has published it."""
    return Suite(name, f"{SHIPPED_SUITES}/{name}/tests")


def run(host: Host, settings: Settings, suite: Suite, arguments: Sequence[str], progress: Report | None) -> str:
    """Run the tests of a suite, and return pytest's report, as JUnit's XML; `progress` gets its lines as they come.

    Raises DcorError where pytest could not run them.
    """
    name, report = suite.name, f"{SUITES}/{suite.name}.xml"
    services.start(host)
    host.run("systemctl", "stop", services.SUITE_PATTERN)
    host.run("rm", "--force", report, user=CKAN_USER)
    pytest = (*_pytest(_copy(host, suite), report), *arguments)
    program = (*_unit(settings, suite.checkout), *map(_literal, (*_only_seen(host, suite.checkout), *pytest)))
    code = _exit_code(host, log(name), program, progress)
    if code not in RAN:
        why = WHY.get(code, f"pytest ended with exit code {code}")
        end = host.run("tail", f"--lines={LOG_LINES}", log(name)).strip()
        raise DcorError(f"The suite {name} was not run: {why}.", end)
    if not host.exists(report):  # it is written last
        why = "was killed before it ended" if code else "was not run: the arguments ask pytest for something else"
        raise DcorError(f"The suite {name} {why}.", f"See {log(name)}")
    return host.run("cat", report, user=CKAN_USER)


def _exit_code(host: Host, path: str, program: Sequence[str], progress: Report | None) -> int:
    try:
        output_file.run_into(host, path, *program, user=None, timeout=TIMEOUT_SECONDS + 60, report=progress)
    except CommandFailed as error:
        return error.code
    return 0


def _copy(host: Host, suite: Suite) -> str:
    """Copy the tests for CKAN's user, and return their directory. Root does not act by name there."""
    place = f"{SUITES}/{suite.name}-tests"
    host.run("rm", "--recursive", "--force", place, user=CKAN_USER)
    host.run("cp", "--recursive", "--", suite.tests, place, user=CKAN_USER)
    return place


def _unit(settings: Settings, checkout: str) -> tuple[str, ...]:
    """Return the beginning of a command that runs in a unit of its own."""
    environment = {
        "CKAN_INI": INI,
        "PATH": f"{ENVIRONMENT}/bin:/usr/bin:/bin",
        "HOME": f"{FILES}/home",
        "LANG": "C.UTF-8",
        "AWS_DEFAULT_REGION": REGION,
    }
    properties = (
        *(f"InaccessiblePaths=-{path}" for path in (*HIDDEN, settings.data)),
        # What programs trust is in the configuration.
        *(f"TemporaryFileSystem={CONFIGURATION}:ro", f"BindReadOnlyPaths={BUNDLE}"),
        *("ProtectSystem=strict", f"ReadWritePaths={FILES} {SUITES}", "ProtectHome=tmpfs", "PrivateTmp=yes"),
        *("NoNewPrivileges=yes", "PrivateDevices=yes", "OOMScoreAdjust=900", "KillSignal=SIGKILL"),
        f"RuntimeMaxSec={TIMEOUT_SECONDS}",
        *((f"BindReadOnlyPaths={checkout}",) if checkout else ()),
    )
    return (
        *("systemd-run", "--quiet", "--wait", "--pipe", "--collect", f"--unit={services.SUITE}"),
        *(f"--uid={CKAN_USER}", f"--gid={CKAN_USER}", f"--working-directory={SUITES}"),
        *(f"--property={it}" for it in properties),
        *(f"--setenv={name}={value}" for name, value in environment.items()),
    )


def _only_seen(host: Host, checkout: str) -> tuple[str, ...]:
    """Return the beginning of a command that runs only where it sees the same directory as CKAN's user does now."""
    if not checkout:
        return ()
    identity = host.run("stat", "--format=%d:%i", checkout, user=CKAN_USER).strip()
    return ("/bin/sh", "-c", ONLY_SEEN, "sh", checkout, identity)


def _literal(argument: str) -> str:
    """Return an argument as systemd leaves it alone: it replaces variables (systemd.service(5), "COMMAND LINES")."""
    return argument.replace("$", "$$")


def _pytest(tests: str, report: str) -> tuple[str, ...]:
    """Return the command, with `importlib`: two suites have modules of the same names.

    It prints a line for each test, with its number of how many.
    """
    return (
        *(f"{ENVIRONMENT}/bin/pytest", "--import-mode=importlib", f"--ckan-ini={INI}", f"--rootdir={SUITES}"),
        *("-p", "no:cacheprovider", "-ra", "--verbose", "--override-ini=console_output_style=count"),
        *(f"--junitxml={report}", tests),
    )
