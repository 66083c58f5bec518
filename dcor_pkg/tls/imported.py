"""Copies of the admin's own certificate and key, for root only: the files that were imported may go afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dcor_pkg.errors import undoing
from dcor_pkg.kernel import secrets
from dcor_pkg.machine.host import Host
from dcor_pkg.tls import own_certificate
from dcor_pkg.tls.pair import DIRECTORY, PUBLIC, Pair

FILES = Pair(f"{DIRECTORY}/imported.pem", secrets.path("imported-key.pem"))


@contextmanager
def replaced(host: Host, given: Pair, hostname: str) -> Iterator[None]:
    """Copy two files that can be served under `hostname`; the former copies come back where the block fails.

    Raises InvalidAnswer or DcorError, and then nothing was changed. The copies are validated as well, because others
    may have exchanged the files meanwhile.
    """
    own_certificate.validate(host, given, hostname)
    certificate, key = given.read(host)
    before = FILES.read(host)
    try:
        _write(host, certificate, key)
        own_certificate.validate(host, FILES, hostname)
        yield
    except BaseException as error:
        with undoing(error):
            _write(host, *before)
        raise


def _write(host: Host, certificate: str | None, key: str | None) -> None:
    host.make_directory(secrets.DIRECTORY, secrets.DIRECTORY_ACCESS)
    for path, text, access in ((FILES.key, key, secrets.ACCESS), (FILES.certificate, certificate, PUBLIC)):
        if text is None:
            host.remove(path)
        else:
            host.write(path, text, access)
