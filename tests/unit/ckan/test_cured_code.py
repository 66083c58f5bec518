"""Functions of upstream, as the cures of known issues leave them, do what the issues say."""

from __future__ import annotations

import email.message
import email.utils
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from dcor_pkg.ckan.known_issues import registry
from dcor_pkg.machine.host import Host
from tests.unit.ckan import upstream
from tests.unit.ckan.upstream import load

MIB = 2**20


class Denied(Exception):
    """NotAuthorized, of CKAN."""


class Unusable(Exception):
    """ValidationError or Invalid, of CKAN."""


class Unsent(Exception):
    """MailerException, of CKAN."""


class Aborted(Exception):
    """An answer other than 200."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the cured files."""
    root = tmp_path_factory.mktemp("root")
    upstream.unpack("python3.11", root / "wheels", root / "site")
    registry.cure(Host(root), "/site")
    return root / "site"


class Jobs(SimpleNamespace):
    """Records the background jobs that are added."""

    def enqueue(self, *arguments: Any, **named: Any) -> None:
        self.added = (arguments, named)


def raises(error: Exception) -> Callable[..., Any]:
    def function(*_: Any, **__: Any) -> None:
        raise error

    return function


def test_all_of_it_is_python(site: Path) -> None:
    files = [site / issue.cure.file for issue in registry.ISSUES if issue.cure.file.endswith(".py")]
    assert len(files) > 10
    for file in files:
        compile(file.read_text(), str(file), "exec")


@pytest.mark.parametrize("is_anonymous", [True, False])
def test_visitors_are_stopped_before_an_auth_function_that_is_not_for_them(site: Path, is_anonymous: bool) -> None:
    auth = {"act": lambda *_: {"success": True}}
    authorized = load(
        site / "ckan/authz.py", "is_authorized", _AuthFunctions=auth, _get_user=lambda _: None, functools=functools
    )
    allowed = authorized("act", {"auth_user_obj": SimpleNamespace(is_anonymous=is_anonymous)})
    assert allowed["success"] is not is_anonymous
    auth["act"].auth_allow_anonymous_access = True  # type: ignore[attr-defined]
    assert authorized("act", {"auth_user_obj": SimpleNamespace(is_anonymous=is_anonymous)})["success"]


def upload_urls(site: Path, data: dict[str, Any], check_access: Callable[..., Any] = lambda *_: True) -> Any:
    toolkit = SimpleNamespace(
        check_access=check_access,
        get_or_bust=lambda found, keys: tuple(found[key] for key in keys),
        ValidationError=Unusable,
    )
    option = raises(Aborted("it would go on"))
    action = load(
        site / "ckanext/dcor_schemas/actions.py",
        "get_resource_upload_s3_urls",
        toolkit=toolkit,
        get_ckan_config_option=option,
    )
    return action({}, data)


def test_nobody_gets_addresses_for_an_upload_unless_the_auth_function_agrees(site: Path) -> None:
    with pytest.raises(Denied):
        upload_urls(site, {}, raises(Denied()))


@pytest.mark.parametrize("size", ["x", None, "-1", "1e999", "nan", 6 * 2**40])
def test_an_impossible_size_of_a_file_is_invalid(site: Path, size: object) -> None:
    with pytest.raises(Unusable, match="5 TiB"):
        upload_urls(site, {"organization_id": "o", "file_size": size})


@pytest.mark.parametrize("size", ["1", 0, "1e9", 5 * 2**40])
def test_a_possible_size_is_accepted(site: Path, size: object) -> None:
    with pytest.raises(Aborted):
        upload_urls(site, {"organization_id": "o", "file_size": size})


@pytest.mark.parametrize("is_sent", [True, False])
@pytest.mark.parametrize("exists", [True, False])
def test_the_answer_to_a_request_for_a_new_password_is_always_the_same(site: Path, exists: bool, is_sent: bool) -> None:
    def show(context: dict[str, Any], _: object) -> None:
        if not exists:
            raise KeyError
        context["user_obj"] = SimpleNamespace(name="alice")

    said: list[str] = []
    logged: list[object] = []
    view = load(
        site / "ckan/views/user.py",
        "RequestResetView",
        MethodView=object,
        captcha=SimpleNamespace(check_recaptcha=lambda _: None, CaptchaError=KeyError),
        request=SimpleNamespace(form={"user": "alice"}),
        current_user=SimpleNamespace(name=""),
        repr_untrusted=repr,
        logic=SimpleNamespace(get_action=lambda _: show, NotFound=KeyError, check_access=lambda *_: True),
        mailer=SimpleNamespace(
            send_reset_link=(lambda _: None) if is_sent else raises(Unsent()), MailerException=Unsent
        ),
        signals=SimpleNamespace(request_password_reset=SimpleNamespace(send=lambda *_, **__: None)),
        h=SimpleNamespace(flash_success=said.append, redirect_to=lambda page: page, flash_error=said.append),
        config={"ckan.user_reset_landing_page": "home"},
        log=SimpleNamespace(info=lambda *_: None, exception=logged.append),
        _=str,
    )
    assert view().post() == "home"
    assert [text.partition(" ")[2] for text in said] == [
        "reset link has been emailed to you (unless the account specified does not exist)"
    ]
    assert len(logged) == (exists and not is_sent)


@pytest.mark.parametrize("error", [None, Denied(), KeyError()])
def test_the_answer_to_a_wrong_key_does_not_depend_on_the_name(site: Path, error: Exception | None) -> None:
    def show(context: dict[str, Any], _: object) -> None:
        if error:
            raise error
        context["user_obj"] = None

    def abort(status: int, text: str) -> None:
        raise Aborted(status, text)

    view = load(
        site / "ckan/views/user.py",
        "PerformResetView",
        MethodView=object,
        logic=SimpleNamespace(
            check_access=lambda *_: True, get_action=lambda _: show, NotFound=KeyError, NotAuthorized=Denied
        ),
        base=SimpleNamespace(abort=abort),
        h=SimpleNamespace(flash_error=lambda _: None),
        g=SimpleNamespace(),
        request=SimpleNamespace(args={"key": "x"}),
        mailer=SimpleNamespace(verify_reset_link=lambda *_: False),
        _=str,
    )
    with pytest.raises(Aborted) as aborted:
        view().get("x")
    assert aborted.value.args == (403, "Invalid reset key. Please try again.")


def test_a_link_is_mailed_by_a_job_whose_description_does_not_contain_it(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Jobs()
    library = ModuleType("ckan.lib")
    library.__dict__["jobs"] = jobs
    monkeypatch.setitem(sys.modules, "ckan", ModuleType("ckan"))
    monkeypatch.setitem(sys.modules, "ckan.lib", library)
    send = load(
        site / "ckan/lib/mailer.py",
        "send_reset_link",
        create_reset_key=lambda _: None,
        get_reset_link_body=lambda _: "the link",
        render=lambda *_: "subject\n",
        config={},
        mail_recipient=print,
        MailerException=Unsent,
        _=str,
    )
    send(SimpleNamespace(display_name="A", email="a@example.org"))
    (function, values), named = jobs.added
    assert (function, values) == (print, ["A", "a@example.org", "subject", "the link"])
    assert named["rq_kwargs"]["description"] == "mail a reset link"
    with pytest.raises(Unsent):
        send(SimpleNamespace(display_name="A", email=None))


def mail(site: Path, options: dict[str, str], connect: Callable[..., Any]) -> None:
    send = load(
        site / "ckan/lib/mailer.py",
        "_mail_recipient",
        config=options,
        EmailMessage=email.message.EmailMessage,
        utils=email.utils,
        time=lambda: 0,
        ckan=SimpleNamespace(__version__="2"),
        smtplib=SimpleNamespace(SMTP=connect, SMTPConnectError=OSError, SMTPException=OSError),
        socket=SimpleNamespace(error=OSError),
        _parse_smtp_server=lambda text: (text, 0),
        log=SimpleNamespace(exception=lambda _: None),
        MailerException=Unsent,
    )
    send("A", "a@example.org", "site", "https://x", "subject", "body")


def test_a_mail_server_has_ten_seconds(site: Path) -> None:
    def connect(host: str, port: int, timeout: float) -> None:
        raise TimeoutError(f"{host} {port} {timeout}")

    with pytest.raises(Unsent, match="relay 0 10"):
        mail(site, {"smtp.server": "relay", "smtp.mail_from": "x@example.org"}, connect)


def test_a_server_without_a_sender_says_that_it_sends_no_mail(site: Path) -> None:
    with pytest.raises(Unsent, match="sends no mail"):
        mail(site, {"smtp.server": "localhost"}, raises(AssertionError()))


def test_a_registration_is_mailed_by_a_job(site: Path) -> None:
    jobs = Jobs()
    notify = load(
        site / "ckanext/dcor_schemas/signals.py",
        "notify_user_created",
        config={"email_to": "a@example.org", "ckanext.dcor_schemas.notify_user_create": True},
        asbool=bool,
        mailer=SimpleNamespace(mail_recipient=print),
        jobs=jobs,
    )
    notify(None, user=SimpleNamespace(name="n", fullname="f", email="e", about=None))
    (function,), named = jobs.added
    assert function is print
    assert named["kwargs"]["recipient_email"] == "a@example.org"
    assert "Handle: n" in named["kwargs"]["body"]


@pytest.mark.parametrize("page", ["0", "-1", "x", "1000001", "9" * 20, "9" * 5000])
def test_an_absurd_number_of_a_page_is_rejected(site: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    base = ModuleType("ckan.lib.base")
    base.__dict__["abort"] = raises(Aborted())
    monkeypatch.setitem(sys.modules, "ckan", SimpleNamespace(lib=SimpleNamespace(base=base)))
    monkeypatch.setitem(sys.modules, "ckan.lib", SimpleNamespace(base=base))
    monkeypatch.setitem(sys.modules, "ckan.lib.base", base)
    number = load(site / "ckan/lib/helpers.py", "get_page_number")
    assert number({"page": "1000000"}) == 1000000
    with pytest.raises(Aborted):
        number({"page": page})


class Lines:
    """A log of a measurement, as h5py gives it."""

    def __init__(self, *lines: bytes, size: int = 0) -> None:
        self.lines, self.size, self.nbytes = lines, len(lines), size
        self.reads = 0

    def __iter__(self) -> Any:
        raise AssertionError("It is read line by line.")

    def __getitem__(self, which: slice) -> tuple[bytes, ...]:
        self.reads += 1
        return self.lines[which]


def test_a_log_is_read_at_once(site: Path) -> None:
    logs = load(site / "dclab/rtdc_dataset/fmt_hdf5/logs.py", "H5Logs")
    lines = Lines(b"a", "\u00e4".encode())
    assert logs({"logs": {"x": lines}})["x"] == ["a", "\u00e4"]
    assert lines.reads == 1


def served_logs(site: Path, artifacts: dict[str, dict[str, Lines]]) -> Any:
    file = site / "ckanext/dc_serve/serve.py"

    def handle(_: str, artifact: str) -> SimpleNamespace:
        logs = artifacts[artifact]
        return SimpleNamespace(h5file={"logs": logs}, logs={name: list(lines[:]) for name, lines in logs.items()})

    known: dict[str, Any] = {
        "MAX_PART_SIZE": 32 * MIB,
        "logic": SimpleNamespace(ValidationError=Unusable),
        "s3cc": SimpleNamespace(get_s3_dc_handle=handle),
        "logger": SimpleNamespace(warning=lambda _: None),
    }
    for name in ("require_small", "get_dc_logs"):
        known[name] = load(file, name, **known)
    return load(file, "get_resource_logs", **known)("resource")


def test_logs_are_those_of_the_file_and_those_that_its_condensed_file_adds(site: Path) -> None:
    logs = {"resource": {"a": Lines(b"1")}, "condensed": {"a": Lines(b"2"), "b": Lines(b"3")}}
    assert served_logs(site, logs) == {"a": [b"1"], "b": [b"3"]}
    del logs["condensed"]
    assert served_logs(site, logs) == {"a": [b"1"]}


def test_logs_that_are_too_large_are_not_answered(site: Path) -> None:
    with pytest.raises(Unusable, match="logs have 33554433 bytes"):
        served_logs(site, {"resource": {"a": Lines(size=16 * MIB), "b": Lines(size=16 * MIB + 1)}})


def test_no_other_query_reads_logs_or_tables(site: Path) -> None:
    text = (site / "ckanext/dc_serve/serve.py").read_text()
    assert text.count("get_dc_logs(ds_res") == text.count("get_dc_tables(ds_res") == 1
    assert "get_dc_logs(ds_con" not in text


@pytest.mark.parametrize("field", ["title", "authors", "doi", "references"])
def test_a_text_that_is_too_long_for_the_index_is_invalid(site: Path, field: str) -> None:
    toolkit = SimpleNamespace(get_validator=str, get_converter=str, Invalid=Unusable)
    modify = load(
        site / "ckanext/dcor_schemas/plugin.py",
        "_modify_package_schema",
        REMOVE_PACKAGE_FIELDS=[],
        toolkit=toolkit,
        dclab=SimpleNamespace(dfn=SimpleNamespace(CFG_METADATA=[], config_keys={})),
        rss=SimpleNamespace(get_composite_item_list=list),
    )
    limited, *others = modify(None, {"state": [], "title": ["unicode_safe"], "resources": {}})[field]
    assert others
    assert limited("\u00e4" * 15000) == "\u00e4" * 15000
    assert limited(None) is None
    with pytest.raises(Unusable, match=r"At most 30000 bytes .* this has 30001"):
        limited("\u00e4" * 15000 + "x")


@pytest.mark.parametrize(("private", "seconds"), [(False, 600), (True, 3600)])
@pytest.mark.parametrize(
    ("file", "view"),
    [("dc_serve", "dccondense"), ("dc_serve", "dcresource"), ("dc_view", "dcpreview")],
)
def test_a_signed_link_does_not_outlive_a_withdrawal_by_more_than_minutes(
    site: Path, file: str, view: str, private: bool, seconds: int
) -> None:
    links: list[dict[str, Any]] = []
    shown = {"name": "x.rtdc", "s3_available": True, "private": private, "organization": {"id": "o"}}
    client = SimpleNamespace(head_object=lambda **_: None)
    store = SimpleNamespace(
        get_s3=lambda: (client, None, None),
        is_available=lambda: True,
        create_presigned_url=lambda **asked: links.append(asked),
    )
    answer = load(
        site / f"ckanext/{file}/route_funcs.py",
        view,
        model=SimpleNamespace(Session=None),
        c=SimpleNamespace(user="", userobj=None),
        current_user=SimpleNamespace(name=""),
        logic=SimpleNamespace(NotFound=KeyError, NotAuthorized=Denied),
        toolkit=SimpleNamespace(get_action=lambda _: lambda *_: shown, redirect_to=lambda link: link),
        config={"dcor_object_store.bucket_name": "circle-{organization_id}"},
        botocore=SimpleNamespace(exceptions=SimpleNamespace(ClientError=Aborted)),
        s3=store,
        s3cc=SimpleNamespace(
            artifact_exists=lambda **_: True, get_s3_bucket_object_for_artifact=lambda **_: ("b", "k")
        ),
    )
    answer(*("d", "r-" * 18, "x")[: answer.__code__.co_argcount])
    assert [link["expiration"] for link in links] == [seconds]
