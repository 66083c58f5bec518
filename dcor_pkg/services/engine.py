"""What a row of the table ENGINES holds: one service that CKAN needs, local or external."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import Settings
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.examined import Examined

#: raises UnusableService where a service cannot be used
Probe = Callable[[Host, Endpoint, Secret, Settings], None]


@dataclass(frozen=True)
class Engine:
    """How a service is set up on this machine and switched off, how an external one is probed, and who may be asked."""

    #: the setting that says where it is, and the name of its part in `dcor-server status`
    key: str
    #: of external addresses
    schemes: tuple[str, ...]
    #: the systemd unit of the local one, after which others start
    unit: str
    #: the question for the password of an external one; empty where it has none
    login_question: str
    local: Callable[[Settings], Endpoint]
    #: what configures the local one
    set_up: Callable[[Settings], tuple[Step, ...]]
    #: the last steps of a plan in which the service is external, at this endpoint; the local one keeps its data
    switch_off: Callable[[Endpoint], tuple[Step, ...]]
    #: whether an external one is reachable and lets CKAN log in
    log_in: Probe
    #: whether CKAN can work with an external one: login, version, rights
    probe: Probe
    #: return the problem of the local one, asked as CKAN asks it, or None
    health: Callable[[Host, Endpoint], str | None]
    #: try for `status` what health does not, local or external, and return what to show. Raises DcorError
    examine: Callable[[Host, Endpoint], Examined]
    #: whether we start it; PostgreSQL is Debian's, and others may live on it
    started_by_us: bool = True
    #: return what an external one has of CKAN's, for example "3 documents", or None. Raises UnusableService
    content: Callable[[Host, Endpoint, Secret], str | None] = lambda *_: None
    #: what this machine needs in order to use an external one
    connect: Callable[[Endpoint], tuple[Step, ...]] = lambda _: ()
    #: raises DcorError where the local one cannot be set up; nothing is changed
    require: Callable[[Host], None] = lambda _: None
    #: the TCP ports of the local one, and the programs that are expected there
    ports: Mapping[int, Collection[str]] = field(default_factory=dict)
    #: the lines of the removal plan for what the local one stores outside of the data directory
    data: tuple[str, ...] = ()
    #: whether this server has ever used the local one, as far as it has recorded that before it wrote removal plans
    was_used: Callable[[Host], bool] = lambda _: False
    #: patterns of the Debian packages that must outlive this package, since they delete or hold data
    packages: tuple[str, ...] = ()
    #: takes back what we have changed in a service that goes on when this package is removed
    leave: Callable[[Host], None] = lambda _: None
    #: the unit that runs the local one, where `unit` only groups others
    find_unit: Callable[[Host], str] | None = None

    def running_unit(self, host: Host) -> str:
        """Return the unit that runs the local one. Raises DcorError."""
        return self.unit if self.find_unit is None else self.find_unit(host)
