"""What nginx would refuse is refused before anything is changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcor_pkg.answers.settings import OWN, Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.kernel.runner import run
from dcor_pkg.machine import facts
from dcor_pkg.machine.host import Access
from dcor_pkg.nginx import site as nginx
from dcor_pkg.nginx import trial
from dcor_pkg.nginx.site import Site
from tests.unit.fake_machine import Machine

NOW = Settings(hostname="dcor.example.org")
REFUSED = replace(NOW, hostname="nonsense.example.org")


def propose(machine: Machine, wanted: Settings, before: Settings | None = NOW) -> None:
    trial.check(machine.host, Proposal(before, wanted, {}))


@pytest.fixture
def server(machine: Machine) -> Machine:
    """Return a machine whose site is in place."""
    run([Site(nginx.site(NOW, facts.read(machine.host)))], machine.host)
    return machine


def test_a_site_that_nginx_accepts_is_not_changed(server: Machine) -> None:
    before, files = server.host.read(nginx.SITE), server.host.names("/run")
    propose(server, replace(NOW, hostname="other.example.org"))
    propose(server, replace(NOW, certificate=OWN, certificate_file="/srv/own.pem", certificate_key="/srv/own.key"))
    assert server.host.read(nginx.SITE) == before
    assert server.host.names("/run") == files


def test_a_site_that_nginx_rejects_is_an_error_in_its_words(server: Machine) -> None:
    with pytest.raises(DcorError, match=r'with these settings: nginx: \[emerg\] unknown directive "nonsense"') as error:
        propose(server, REFUSED)
    assert error.value.hint == trial.HINT


def test_a_site_that_an_administrator_has_changed_stays_so_the_new_text_is_not_tried(server: Machine) -> None:
    server.host.write(nginx.SITE, "server { listen 8443 ssl; }\n", Access(0o644))
    propose(server, REFUSED)


@pytest.mark.parametrize("directory", [True, False])
def test_before_the_first_installation_nginx_has_to_read_the_directory_of_the_sites(
    machine: Machine, directory: bool
) -> None:
    propose(machine, NOW, None)
    machine.nginx.reads_sites = False
    if not directory:
        machine.host.remove_tree(nginx.SITES)
    with pytest.raises(DcorError, match="nginx does not read the sites") as error:
        propose(machine, NOW, None)
    assert ("mkdir" not in error.value.hint) is directory
    assert "include /etc/nginx/sites-enabled/*;" in error.value.hint
