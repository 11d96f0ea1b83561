"""Messages: writing test mail, reading delivered mail, sending octets as they are."""

import itertools
import os
import smtplib

from .layout import DESK, password

_numbers = itertools.count(1)


def token():
    """A word found in no other message of this run."""
    return f"zi2-{os.getpid()}-{next(_numbers):06}"


class Mail:
    """A message as octets, with its header fields in order."""

    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
        self.fields = []
        for line in head.split(b"\n"):
            if line[:1] in (b" ", b"\t") and self.fields:
                name, value = self.fields.pop()
                self.fields.append((name, value + line))
            else:
                name, _, value = line.partition(b":")
                self.fields.append((name.decode("latin-1"), value))

    def all(self, name):
        """The values of the fields of this name, top first, unfolded and trimmed."""
        wanted = name.lower()
        return [v.decode("utf-8", "replace").strip() for n, v in self.fields if n.lower() == wanted]

    def one(self, name):
        values = self.all(name)
        assert len(values) == 1, f"{len(values)} {name} fields instead of one: {values}"
        return values[0]

    def names(self):
        return [name.lower() for name, _ in self.fields]

    def verified(self):
        """The tags of the one X-ZI2-Verified field."""
        tags = (part.partition("=") for part in self.one("X-ZI2-Verified").split(";"))
        return {name.strip(): value.strip() for name, _, value in tags}


def compose(sender, to, subject, *, body="Hello.\r\n", extra="", date=True, message_id=True):
    """A plain message. `extra` is put on top of the header section as it is."""
    lines = [f"From: {sender}", f"To: {to}", f"Subject: {subject}"]
    if date:
        lines.append("Date: Wed, 01 Apr 2026 12:00:00 +0000")
    if message_id:
        lines.append(f"Message-ID: <{token()}@client.example>")
    return (extra + "\r\n".join(lines) + "\r\n\r\n" + body).encode()


def send(host, port, sender, recipients, message, *, login=None, client=DESK, options=()):
    """One SMTP transaction; the message's octets go as they are. Raises smtplib's errors."""
    with smtplib.SMTP(host, port, "client.example", 60, (client, 0)) as smtp:
        if login:
            smtp.login(login, password(login))
        return smtp.sendmail(sender, recipients, message, mail_options=options)
