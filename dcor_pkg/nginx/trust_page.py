"""The page /trust, on which nginx offers users what their programs need to trust this server, without CKAN."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import templates
from dcor_pkg.kernel.managed_file import PUBLIC
from dcor_pkg.machine import paths
from dcor_pkg.machine.host import Host
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.pair import PAIRS, Pair
from dcor_pkg.tls.trust_anchor import served_chain, trust_anchor

#: nginx's workers read it, which are not root.
DIRECTORY = f"{paths.STATE}/nginx/trust"
HTML, PLAIN = "text/html", "text/plain"
#: For how long Safari accepts a server's certificate, also one that a user trusts (Apple, "Requirements for trusted
#: certificates in iOS 13 and macOS 10.15").
LONGEST_FOR_SAFARI = datetime.timedelta(days=825)


@dataclass(frozen=True)
class TrustFile:
    """A file of DIRECTORY, and the address at which nginx serves it."""

    file: str
    address: str
    type: str
    #: whether browsers save it, and under the name of the server
    download: bool = False

    @property
    def path(self) -> str:
        return f"{DIRECTORY}/{self.file}"


@dataclass(frozen=True)
class Language:
    """A language of the page, with its name in itself."""

    language: str
    address: str
    name: str


ENGLISH, GERMAN = Language("en", "/trust", "English"), Language("de", "/de/trust", "Deutsch")
CERTIFICATE = TrustFile("certificate.crt", "/trust/certificate.crt", "application/x-pem-file", download=True)
#: Plain text, so that a browser shows it: users are to read it.
SCRIPT = TrustFile("trust.py", "/trust/trust.py", PLAIN)
PAGES = {language: TrustFile(f"{language.language}.html", language.address, HTML) for language in (ENGLISH, GERMAN)}
FILES = (CERTIFICATE, SCRIPT, *PAGES.values())


@dataclass(frozen=True)
class Shown:
    """What the page says of the trust anchor."""

    certificate: x509.Certificate
    #: whether it is the server's own certificate
    is_served: bool

    @property
    def subject(self) -> str:
        return self.certificate.subject.rfc4514_string()

    @property
    def begin(self) -> str:
        return f"{x509_properties.valid_from(self.certificate):%Y-%m-%d}"

    @property
    def end(self) -> str:
        return f"{x509_properties.valid_until(self.certificate):%Y-%m-%d}"

    @property
    def fingerprint(self) -> str:
        return x509_properties.fingerprint(self.certificate)

    @property
    def plain(self) -> str:
        """The fingerprint as Chrome and Windows write it."""
        return self.fingerprint.replace(":", "").lower()

    @property
    def spaced(self) -> str:
        """The fingerprint as macOS writes it."""
        return self.fingerprint.replace(":", " ")

    @property
    def is_authority(self) -> bool:
        return x509_properties.is_authority(self.certificate)

    @property
    def nss_trust(self) -> str:
        """The trust of Mozilla's certutil: of an authority that signs servers' certificates, or of one server."""
        return "C,," if self.is_authority else "P,,"


@dataclass(frozen=True)
class TrustPage:
    """The page in each language, the certificate and a script; they follow the certificate that is served.

    They are not an administrator's to change: a page with a fingerprint that is out of date would be worse than none.
    """

    hostname: str
    site_title: str
    served: Pair
    name: str = "trust page"

    def check(self, host: Host) -> str | None:
        try:
            wanted = self._texts(host)
        except DcorError as error:
            return error.reason  # a dry run comes before there is a certificate
        return next(_drifts(host, wanted), None)

    def apply(self, host: Host) -> None:
        for file, text in self._texts(host).items():
            if text is None:
                host.remove(file.path)
            else:
                host.write(file.path, text, PUBLIC)

    def _texts(self, host: Host) -> dict[TrustFile, str | None]:
        """Return the text of each file, None for one that nobody needs."""
        anchor = trust_anchor(host, self.served)
        return {
            CERTIFICATE: None if anchor is None else anchor.public_bytes(Encoding.PEM).decode(),
            SCRIPT: None if anchor is None else self._render("trust-script", {}, host),
            **{file: self._page(language, anchor, host) for language, file in PAGES.items()},
        }

    def _page(self, language: Language, anchor: x509.Certificate | None, host: Host) -> str:
        served = served_chain(host, self.served)[0]
        values = {
            "site_title": self.site_title,
            "language": language.language,
            "other": GERMAN if language is ENGLISH else ENGLISH,
            "anchor": None if anchor is None else Shown(anchor, anchor == served),
            "names": x509_properties.names(served),
            "long_lived": x509_properties.lifetime(served) > LONGEST_FOR_SAFARI,
        }
        return self._render(f"trust-{language.language}.html", values, host)

    def _render(self, template: str, values: dict[str, object], host: Host) -> str:
        return templates.render(f"nginx/templates/{template}", {"hostname": self.hostname, **values}, host)


def trust_page(settings: Settings) -> TrustPage:
    """Return the step that writes the page."""
    return TrustPage(settings.hostname, settings.site_title, PAIRS[settings.certificate])


def _drifts(host: Host, wanted: dict[TrustFile, str | None]) -> Iterator[str]:
    for file, text in wanted.items():
        if host.read(file.path) != text:
            yield _difference(file, text)
        elif text is not None and (drift := host.access_drift(file.path, PUBLIC)) is not None:
            yield f"{file.path} {drift}"


def _difference(file: TrustFile, text: str | None) -> str:
    if text is None:
        return f"{file.path} is not needed any more"
    if file is not CERTIFICATE:
        return f"{file.path} is not as the settings and the certificate need it"
    (certificate,) = x509_properties.load_chain(text)
    return f"{file.path} is not the certificate with the SHA-256 fingerprint {x509_properties.fingerprint(certificate)}"
