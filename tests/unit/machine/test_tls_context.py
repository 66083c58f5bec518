"""An authority whose certificate lacks an extension is trusted with each Python, as other programs do."""

from __future__ import annotations

import ssl

import pytest

from dcor_pkg.machine import tls_context


def test_what_python_313_refuses_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    make = ssl.create_default_context

    def of_python_313(*, cafile: str | None = None) -> ssl.SSLContext:
        made = make(cafile=cafile)
        made.verify_flags |= ssl.VERIFY_X509_STRICT
        return made

    monkeypatch.setattr(ssl, "create_default_context", of_python_313)
    found = tls_context.verifying()
    assert not found.verify_flags & ssl.VERIFY_X509_STRICT
    assert (found.verify_mode, found.check_hostname) == (ssl.CERT_REQUIRED, True)
