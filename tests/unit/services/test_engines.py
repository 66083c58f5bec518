"""Each row of ENGINES is complete: whatever a service needs elsewhere in the project is there for each of them."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from dcor_pkg.answers import settings, validators
from dcor_pkg.answers.settings import PASSWORDS, Settings
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Host
from dcor_pkg.plan import build_plan
from dcor_pkg.services import endpoints, engines
from dcor_pkg.services.endpoint import PORTS
from dcor_pkg.services.engine import Engine

TREE = Path(__file__).resolve().parents[3]
DEBIAN = TREE / "debian"
FACTS = Facts("2.11.6-1~deb12u1", "0" * 64, "3.11.2", (1, 22, 1), ipv6=True, cores=2, memory=4096)
#: an external address for each: the example that the hint of its setting gives
ADDRESSES = {
    engine.key: settings.ROWS[engine.key].hint.removeprefix("For example ").removesuffix(".")
    for engine in engines.ENGINES
}
each_engine = pytest.mark.parametrize("engine", engines.ENGINES, ids=lambda engine: engine.key)


def external_settings(engine: Engine) -> Settings:
    return settings.parse({engine.key: ADDRESSES[engine.key]})


def test_each_row_is_an_endpoint_by_name() -> None:
    names = [item.name for item in fields(endpoints.Services)]
    assert [engine.key.replace("-", "_") for engine in engines.ENGINES] == names


@each_engine
def test_its_setting_and_its_questions_exist(engine: Engine) -> None:
    templates = (DEBIAN / "dcor-server.templates").read_text(encoding="utf-8")
    questions = {engine.key, engine.login_question} - {""}
    assert [question for question in questions if f"Template: dcor-server/{question}\n" not in templates] == []
    assert [key for key, service in PASSWORDS.items() if service == engine.key] == sorted(questions - {engine.key})
    assert settings.default(engine.key) == validators.LOCAL


@each_engine
def test_the_readme_has_an_example_and_its_requirements(engine: Engine) -> None:
    readme = (TREE / "README.md").read_text(encoding="utf-8")
    assert any(f"\n| {engine.key} | `{engine.key}={scheme}://" in readme for scheme in engine.schemes)


@each_engine
def test_it_alone_is_external_with_an_address(engine: Engine) -> None:
    wanted = external_settings(engine)
    assert engines.external(wanted) == (engine,)
    assert engines.local(wanted) == tuple(other for other in engines.ENGINES if other != engine)


@each_engine
def test_its_schemes_are_those_that_its_setting_accepts(engine: Engine) -> None:
    rest = ADDRESSES[engine.key].partition("://")[2]
    accepted = set()
    for scheme in PORTS:
        try:
            settings.validate(engine.key, f"{scheme}://{rest}")
        except settings.InvalidAnswer:
            continue
        accepted.add(scheme)
    assert accepted == set(engine.schemes)


@each_engine
def test_it_is_in_the_plan_when_local_and_switched_off_when_external(engine: Engine) -> None:
    local = [step.name for step in build_plan(Settings(), FACTS)]
    external = [step.name for step in build_plan(external_settings(engine), FACTS)]
    set_up = {step.name for step in engine.set_up(Settings())}
    off = [step.name for step in engine.switch_off(engine.local(Settings()))]
    assert set_up <= set(local)
    assert external[-len(off) :] == off
    assert f"service {engine.unit}" in local or not engine.started_by_us


@each_engine
def test_a_purge_removes_the_files_of_its_steps(engine: Engine) -> None:
    postrm = (DEBIAN / "dcor-server.postrm").read_text(encoding="utf-8")
    files = [step.path for step in engine.set_up(Settings()) if isinstance(step, ManagedFile)]
    directories = re.findall(r"^ +remove (/[^\n]*)", postrm, re.MULTILINE)
    removed = {word for line in directories for word in line.split()}
    assert [
        path for path in files if path not in postrm and not any(path.startswith(f"{one}/") for one in removed)
    ] == []


@each_engine
def test_timers_start_after_its_unit(engine: Engine) -> None:
    for name in ("converge", "nightly"):
        unit = (DEBIAN / f"dcor-server.dcor-{name}.service").read_text(encoding="utf-8")
        (after,) = re.findall(r"^After=(.*)$", unit, re.MULTILINE)
        assert engine.unit in after.split(), name


@each_engine
def test_ckan_starts_after_its_unit(engine: Engine) -> None:
    (step,) = (it for it in build_plan(Settings(), FACTS) if it.name.endswith("dcor-ckan.service.d/dcor-server.conf"))
    assert isinstance(step, ManagedFile)
    assert engine.unit in tuple(step.values["units"])  # type: ignore[arg-type]


@each_engine
def test_apt_never_removes_its_packages_by_itself(engine: Engine, host: Host) -> None:
    (step,) = (it for it in build_plan(Settings(), FACTS) if it.name == "file /etc/apt/apt.conf.d/01dcor-server")
    assert isinstance(step, ManagedFile)
    patterns = re.findall(r'"(.*)";', step.text(host))
    control = (DEBIAN / "control").read_text(encoding="utf-8")
    for package in engine.packages:
        assert f"^{package}$" in patterns
    assert (
        any(re.search(rf"^(Package:)? +{package},?$", control, re.MULTILINE) for package in engine.packages)
        or not engine.packages
    )
