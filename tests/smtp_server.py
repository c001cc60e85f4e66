#!/usr/bin/env python3
"""An SMTP server for tests, on 127.0.0.1. Writes each mail that it accepts into a file, FOLDER/000001.eml and so on.

The file FOLDER/mode is read for each connection, so that a running server can change its mode:

  plain           accept every mail
  starttls        accept mails only after STARTTLS
  refusing        refuse every recipient with 550
  greylisting N   refuse the next N recipients with 451, then accept
  bare            accept every mail, but offer neither SMTPUTF8 nor STARTTLS
  dropping        close the connection in the middle of DATA
  slow            accept the connection and never respond

Prints the port; with --certificate also a second line, the port for connections that begin with TLS.
"""

import argparse
import asyncio
import logging
import ssl
from itertools import count
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = b"user", b"secret"


class Mode:
    """The mode of the server, in the file that the tests write."""

    def __init__(self, file, initial):
        self.file = file
        if initial:
            file.write_text(initial)

    def read(self):
        name, _, left = self.file.read_text().strip().partition(" ")
        return name, int(left or 0)

    def is_greylisted(self):
        """Counts one refusal, and returns False when none is left."""
        name, left = self.read()
        if name != "greylisting" or left == 0:
            return False
        self.file.write_text(f"greylisting {left - 1}")
        return True


class Handler:
    """Writes mails into the folder."""

    def __init__(self, folder, mode):
        self.folder, self.mode, self.numbers = folder, mode, count(1)

    async def handle_RCPT(self, server, session, envelope, address, options):
        name, _ = self.mode.read()
        if name == "refusing":
            return f"550 5.1.1 <{address}>: no such user here"
        if self.mode.is_greylisted():
            return f"451 4.7.1 <{address}>: greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        trace = "".join(f"X-Recipient: {address}\r\n" for address in envelope.rcpt_tos)
        encrypted = "yes" if server.transport.get_extra_info("sslcontext") else "no"
        trace += f"X-Sender: {envelope.mail_from}\r\nX-Encrypted: {encrypted}\r\n"
        file = self.folder / f"{next(self.numbers):06}.eml"
        # A reader never sees half a mail.
        part = file.with_suffix(".part")
        part.write_bytes(trace.encode() + envelope.original_content)
        part.rename(file)
        return "250 OK"


class Dropping(SMTP):
    """Closes the connection when the mail begins."""

    async def smtp_DATA(self, arg):
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        self.transport.abort()


class Slow(asyncio.Protocol):
    """Never responds."""


def authenticate(server, session, envelope, mechanism, data):
    # The server responds to a login that is not handled here.
    return AuthResult(success=data.login == USER and data.password == PASSWORD, handled=False)


def protocol(mode, handler, tls, is_encrypted):
    name, _ = mode.read()
    if name == "slow":
        return Slow()
    offers_tls = tls is not None and not is_encrypted and name != "bare"
    return (Dropping if name == "dropping" else SMTP)(
        handler,
        enable_SMTPUTF8=name != "bare",
        tls_context=tls if offers_tls else None,
        require_starttls=offers_tls and name == "starttls",
        authenticator=authenticate,
        auth_require_tls=not is_encrypted,
    )


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--folder", type=Path, required=True, help="for the mails and the file of the mode")
    parser.add_argument("--mode", help="written into the file of the mode; without it the file must exist")
    parser.add_argument("--certificate", help="PEM file; enables TLS")
    parser.add_argument("--key", help="PEM file of the certificate's key")
    options = parser.parse_args()

    mode = Mode(options.folder / "mode", options.mode)
    handler = Handler(options.folder, mode)
    tls = None
    if options.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.certificate, options.key)

    loop, ports = asyncio.get_running_loop(), []
    listeners = [(options.port, None)] + ([(0, tls)] if tls else [])
    for port, context in listeners:
        server = await loop.create_server(
            lambda context=context: protocol(mode, handler, tls, context is not None),
            "127.0.0.1", port, ssl=context)
        ports.append(server.sockets[0].getsockname()[1])
    print("\n".join(map(str, ports)), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    # Failed handshakes and lost connections are what the tests are about.
    logging.disable()
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
