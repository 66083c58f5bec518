"""Scripts for tests in machines: create certificates, and receive mail."""

#: Creates a root and an intermediate certificate authority, a certificate with its key, and another key. chain.pem has
#: the certificate and the intermediate one, turned.pem both in the wrong order.
MAKE_CERTIFICATES = """
mkdir -p /srv/tls && cd /srv/tls
request() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1-key.pem -out $1.csr -subj "/CN=$2" 2>&1; }
sign() { openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2-key.pem -CAcreateserial -days 200 -extfile $1.ext -out $1.pem 2>&1; }
request root root.example.org
printf 'basicConstraints=critical,CA:TRUE\\nkeyUsage=critical,digitalSignature,keyCertSign,cRLSign\\n' >root.ext
openssl x509 -req -in root.csr -signkey root-key.pem -days 300 -extfile root.ext -out root.pem 2>&1
request middle middle.example.org; cp root.ext middle.ext; sign middle root
request leaf dcor.example.org; printf 'subjectAltName=DNS:dcor.example.org\\n' >leaf.ext; sign leaf middle
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other-key.pem
cat leaf.pem middle.pem >chain.pem; cat middle.pem leaf.pem >turned.pem
"""
#: Creates a certificate of the administrator's that no authority has signed.
MAKE_SELF_SIGNED = """
mkdir -p /srv/own && cd /srv/own
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out leaf.pem -days 90 \\
    -subj /CN=dcor.example.org -addext subjectAltName=DNS:dcor.example.org 2>&1
"""
#: An SMTP server that appends mails to /srv/mails, and refuses those to nobody@.
MAIL_SINK = """
import asyncio, pathlib

async def serve(reader, writer):
    def say(line): writer.write(line.encode() + b"\\r\\n")
    say("220 sink")
    while line := (await reader.readline()).decode().strip():
        verb = line.split(":")[0].upper()
        if verb == "DATA":
            say("354 go on")
            text = await reader.readuntil(b"\\r\\n.\\r\\n")
            with pathlib.Path("/srv/mails").open("ab") as file: file.write(text)
        if verb == "RCPT TO" and "<nobody@" in line: say("550 5.1.1 no such user"); continue
        say("221 bye" if verb == "QUIT" else "250 ok")

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 2525)
    async with server: await server.serve_forever()

asyncio.run(main())
"""
