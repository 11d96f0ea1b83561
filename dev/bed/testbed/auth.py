"""A Dovecot auth server as far as Postfix needs one: AUTH PLAIN for the sender's mailboxes.

Run as a program: auth.py SOCKET LOGIN...   Passwords are layout.password(LOGIN).
"""

import base64
import os
import socketserver
import sys

from layout import password

LOGINS = set(sys.argv[2:])


class Auth(socketserver.StreamRequestHandler):
    """One connection of an smtpd process. Postfix wants the greeting in this order."""

    GREETING = (
        "VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n"
        "COOKIE\t00000000000000000000000000000000\nDONE\n"
    )

    def handle(self):
        self.wfile.write(self.GREETING.encode())
        for line in self.rfile:
            verb, *args = line.decode().rstrip("\n").split("\t")
            if verb == "AUTH":
                self.wfile.write(verdict(args).encode())


def verdict(args):
    number = args[0]
    response = next((arg[5:] for arg in args if arg.startswith("resp=")), "")
    try:
        _, login, secret = base64.b64decode(response).decode().split("\0")
    except ValueError:
        return f"FAIL\t{number}\n"
    known = login in LOGINS and secret == password(login)
    return f"{'OK' if known else 'FAIL'}\t{number}\tuser={login}\n"


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


if __name__ == "__main__":
    with Server(sys.argv[1], Auth) as server:
        os.chmod(sys.argv[1], 0o666)  # Postfix' smtpd is another user
        server.serve_forever()
