"""What an administrator may give to `certificate import` by mistake, and what the messages say."""

from __future__ import annotations

#: more of what an administrator may give by mistake, next to what MAKE_CERTIFICATES creates
MAKE_MISTAKES = """
cd /srv/tls
openssl pkcs8 -topk8 -in leaf-key.pem -passout pass:hush -out locked-key.pem
openssl x509 -outform DER -in leaf.pem -out leaf.der
openssl pkey -outform DER -in leaf-key.pem -out leaf-key.der
printf 'subjectAltName=DNS:other.example.org\\n' >other.ext
openssl x509 -req -in leaf.csr -CA middle.pem -CAkey middle-key.pem -CAcreateserial -days 200 -extfile other.ext \
    -out other.pem 2>&1
cat other.pem middle.pem >other-chain.pem
"""
#: certificate, key, and what the message says
MISTAKES = (
    ("chain.pem", "other-key.pem", "is not the key of the first certificate"),
    ("turned.pem", "leaf-key.pem", "is not the key of the first certificate"),
    ("chain.pem", "locked-key.pem", "is encrypted with a passphrase"),
    ("chain.pem", "leaf-key.der", "does not contain a private key in PEM"),
    ("leaf.der", "leaf-key.pem", "does not contain a certificate in PEM"),
    ("other-chain.pem", "leaf-key.pem", "is not for dcor.example.org"),
    ("leaf.pem", "leaf-key.pem", "the certificate of CN=middle.example.org is missing"),
    (".", "leaf-key.pem", "it is a directory"),
    ("chain.pem", ".", "it is a directory"),
    ("none.pem", "leaf-key.pem", "does not exist"),
    ("chain.pem", "none.pem", "does not exist"),
)
