"""The content of a file NAME.dcor-access, as dclab reads it (dclab.rtdc_dataset.fmt_dcor.access_token).

It is an encrypted archive of the server's certificate and a user's API token. Everybody may read the certificate, and
half of what an API token begins with is always the same. Random text around both, which readers skip, lets nobody know
where they are, and deflating with a random code what they look like.
"""

from __future__ import annotations

import string
from collections.abc import Sequence

from dcor_pkg.answers.secret import Secret
from dcor_pkg.tokens import zip_crypto
from dcor_pkg.tokens.random_code import RANDOM

ENDING = ".dcor-access"
CERTIFICATE, API_TOKEN = "server.cert", "api_key.txt"
#: what readers of PEM skip: no line of it looks like the beginning of a certificate (RFC 7468, section 5.2)
TEXT = string.ascii_letters + string.digits + " .,:;"
LINE = 60
#: what dclab strips
SPACE = string.whitespace
#: how many letters of random text there are in one place
LEAST, MOST = 1000, 3000
#: no letter is taken for another one
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP = 4, 5


def new_password() -> Secret:
    """Return a password of 99 bits, as four words of five letters and digits."""
    words = ("".join(RANDOM.choices(LETTERS, k=GROUP)) for _ in range(GROUPS))
    return Secret("-".join(words))


def content(certificates: Sequence[str], api_token: Secret, password: Secret) -> bytes:
    """Return the bytes of an access token. `certificates`: in PEM, the server's own first."""
    chain = _text() + "".join(pem + _text() for pem in certificates)
    key = f"{_random(SPACE)}{api_token.reveal()}{_random(SPACE)}"
    return zip_crypto.archive({CERTIFICATE: chain.encode("ascii"), API_TOKEN: key.encode("ascii")}, password)


def _text() -> str:
    letters = _random(TEXT)
    return "".join(f"{letters[at : at + LINE]}\n" for at in range(0, len(letters), LINE))


def _random(alphabet: str) -> str:
    return "".join(RANDOM.choices(alphabet, k=RANDOM.randint(LEAST, MOST)))
