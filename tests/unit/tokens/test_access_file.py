"""An access token is read by Python's zipfile as dclab does, and tells nothing to those who know its certificate."""

from __future__ import annotations

import io
import re
import ssl
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import pytest

from dcor_pkg.answers.secret import Secret
from dcor_pkg.machine.host import Host
from dcor_pkg.tls import self_signed
from dcor_pkg.tls.self_signed import SelfSignedCertificate
from dcor_pkg.tokens import access_file, random_code, zip_crypto

HOST = "dcor.example.org"
#: as CKAN makes it (PyJWT): a third of it is the same in each
API_TOKEN = Secret(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJqdGkiOiJ0b1BWMVU4aWNhN3g0WUJNZ0ZqM0pBIiwiaWF0IjoxNzY3MjI1NjAwfQ"
    ".4f6JX0V0b5gT3WlHqB1QmE1mQm6W3xg0Qn0t0ZbG3Ns"
)
PASSWORD = Secret("abcde-fghjk-mnpqr-stuvw")
#: with so many bytes in a row the keys are computed (Biham and Kocher; bkcrack)
KNOWN_BYTES = 12


@pytest.fixture
def certificate(host: Host) -> str:
    """Return a certificate in PEM."""
    SelfSignedCertificate(HOST).apply(host)
    return self_signed.PAIR.read(host)[0] or ""


def opened(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


def test_zipfile_finds_the_certificate_and_the_token(certificate: str) -> None:
    with opened(access_file.content([certificate], API_TOKEN, PASSWORD)) as archive:
        archive.setpassword(PASSWORD.reveal().encode())
        assert archive.testzip() is None
        assert certificate in archive.read("server.cert").decode()
        assert archive.read("api_key.txt").decode().strip() == API_TOKEN.reveal()
        assert archive.namelist() == ["server.cert", "api_key.txt"]


def test_without_the_password_nothing_is_read(certificate: str) -> None:
    content = access_file.content([certificate], API_TOKEN, PASSWORD)
    for known in (b"BEGIN CERTIFICATE", certificate.splitlines()[1].encode(), API_TOKEN.reveal().encode()[:16]):
        assert known not in content
    with opened(content) as archive, pytest.raises((RuntimeError, zipfile.BadZipFile, zlib.error)):
        archive.read("api_key.txt", pwd=b"abcde-fghjk-mnpqr-stuvx")
    with opened(content) as archive, pytest.raises(RuntimeError, match="password required"):
        archive.read("server.cert")


def test_openssl_finds_each_certificate_of_the_chain(host: Host, certificate: str, tmp_path: Path) -> None:
    SelfSignedCertificate("other.example.org").apply(host)
    other = self_signed.PAIR.read(host)[0] or ""
    with opened(access_file.content([certificate, other], API_TOKEN, PASSWORD)) as archive:
        text = archive.read("server.cert", pwd=PASSWORD.reveal().encode())
    (tmp_path / "server.cert").write_bytes(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=str(tmp_path / "server.cert"))
    assert context.cert_store_stats()["x509"] == 2
    # what dclab reads the host name from
    first = ssl._ssl._test_decode_cert(str(tmp_path / "server.cert"))  # type: ignore[attr-defined]  # noqa: SLF001
    assert first["subject"] == ((("commonName", HOST),),)


def windows(streams: Iterable[bytes], size: int = KNOWN_BYTES) -> int:
    """Return how many rows of bytes occur in more than one of these streams, anywhere."""
    seen: set[bytes] = set()
    again = 0
    for stream in streams:
        rows = {stream[at : at + size] for at in range(len(stream) - size + 1)}
        again += len(rows & seen)
        seen |= rows
    return again


def test_who_knows_certificate_and_token_predicts_no_twelve_bytes(
    certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attacker even knows the token, and makes files as we do: none has twelve bytes of another one."""
    streams: list[bytes] = []

    def remembered(content: bytes, check: int, password: Secret) -> bytes:
        streams.append(bytes((check,)) + content)  # the check sum is in the clear, and its byte is encrypted, too
        return content

    monkeypatch.setattr(zip_crypto, "_encrypted", remembered)
    for _ in range(16):
        access_file.content([certificate], API_TOKEN, PASSWORD)
    assert len(streams) == 32
    assert windows(streams) == 0


@pytest.mark.parametrize("known", ["certificate", "token"])
def test_as_zlib_deflates_them_they_would_be_known(certificate: str, known: str) -> None:
    """The attack can succeed: with zlib, and without random text, it does."""
    text = certificate if known == "certificate" else f" {API_TOKEN.reveal()}"
    assert windows(zlib.compress(text.encode()) for _ in range(2)) > 100


def test_the_random_code_hides_a_text_that_is_wholly_known(certificate: str) -> None:
    """Without random text around it the code alone lets nothing be predicted."""
    assert windows(random_code.deflate(certificate.encode()) for _ in range(40)) == 0


@pytest.mark.parametrize("text", [b"", b"a", bytes(range(256)) * 3, b"-" * 5000])
def test_each_text_is_inflated_again(text: bytes) -> None:
    for _ in range(20):
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        assert inflate.decompress(random_code.deflate(text)) == text
        assert (inflate.eof, inflate.unused_data) == (True, b"")


def test_an_archive_is_encrypted_anew_each_time() -> None:
    first, second = (zip_crypto.archive({"a": b"the same"}, PASSWORD) for _ in range(2))
    assert first != second
    assert [opened(it).read("a", pwd=PASSWORD.reveal().encode()) for it in (first, second)] == [b"the same"] * 2


def test_a_password_is_long_different_each_time_and_typed_without_doubt() -> None:
    made = {access_file.new_password().reveal() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"([a-hjkmnp-z2-9]{5}-){3}[a-hjkmnp-z2-9]{5}", it) for it in made)
