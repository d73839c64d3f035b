#!/usr/bin/python3
"""An SMTP server that is not ours: aiosmtpd with STARTTLS, a log-in, refusals and slow answers.

    smtp_peer.py CERTIFICATE KEY

Prints its port, then one JSON object for each mail it took. What it does depends on the address:

    gone@...   refused for good (550)
    busy@...   refused for now (451) the first time, taken afterwards
    slow@...   taken after a second
"""

import asyncio
import email.policy
import email.parser
import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


class Desk:
    def __init__(self):
        self.busy = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone@"):
            return f"550 5.1.1 <{address}>: no such mailbox"
        if address.startswith("busy@") and address not in self.busy:
            self.busy.add(address)
            return f"451 4.7.1 <{address}>: try again"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        if any(address.startswith("slow@") for address in envelope.rcpt_tos):
            await asyncio.sleep(1)
        parser = email.parser.BytesParser(policy=email.policy.default)
        mail = parser.parsebytes(envelope.content)
        part = lambda kind: mail.get_body(preferencelist=(kind,)).get_content()
        said = {
            "to": envelope.rcpt_tos,
            "subject": str(mail["Subject"]),
            "id": str(mail["Message-ID"]),
            "tls": session.ssl is not None,
            "user": session.auth_data.login.decode() if session.auth_data else None,
            "text": part("plain"),
            "html": part("html"),
        }
        print(json.dumps(said), flush=True)
        return "250 taken"


def log_in(server, session, envelope, mechanism, data):
    good = data.login == b"cems" and data.password == b"mail-password"
    return AuthResult(success=good, auth_data=data if good else None)


def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[1], sys.argv[2])

    class Server(Controller):
        def factory(self):
            return SMTP(
                self.handler,
                tls_context=context,
                require_starttls=True,
                authenticator=log_in,
                auth_required=True,
                enable_SMTPUTF8=False,
            )

        def _trigger_server(self):
            # Any free port was asked for; which one it is stands only now.
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    server = Server(Desk(), hostname="127.0.0.1", port=0)
    server.start()
    print(server.port, flush=True)
    try:
        sys.stdin.read()
    finally:
        server.stop()


main()
