"""Thousands of mails while both milters are killed again and again (ZI2_MAILS, default 10,000)."""

import collections
import os
import random
import signal
import smtplib
import threading
import time

from testbed import ALICE, ANN, DESK, EVIL, compose, promise, token
from testbed.layout import password

MAILS = int(os.environ.get("ZI2_MAILS", "10000"))
CLIENTS = 8
FORGED = (
    "X-ZI2-Verified: result=pass; level=3; reason=ok.local; forged=1\r\n"
    "Authentication-Results: mail.receiver.example; x-zi2=pass policy.forged=1\r\n"
)


class Client(threading.Thread):
    """Sends its share, one connection for many mails; tries again whatever is refused for now."""

    def __init__(self, bed, honest, count):
        super().__init__(daemon=True)
        self.address = (bed.sender.ip, 587, DESK) if honest else (bed.receiver.ip, 25, EVIL)
        self.honest, self.count = honest, count
        self.accepted, self.retries = [], 0

    def run(self):
        smtp = word = None
        while len(self.accepted) < self.count:
            word = word or token()
            message = compose(ALICE, ANN, word, extra="" if self.honest else FORGED)
            try:
                smtp = smtp or self.connect()
                smtp.sendmail(ALICE, [ANN], message)
                self.accepted.append(word)
                word = None
            except (smtplib.SMTPException, OSError):
                # A refusal is an answer: the server did not take this mail.
                self.retries += 1
                smtp = None
                time.sleep(0.1)

    def connect(self):
        host, port, client = self.address
        smtp = smtplib.SMTP(host, port, "client.example", 60, (client, 0))
        if self.honest:
            smtp.login(ALICE, password(ALICE))
        return smtp


def storm(bed):
    """Sends all mails under kill -9; gives what was accepted, what was delivered, and the kills."""
    shares = [(n % 4 != 3, MAILS // CLIENTS) for n in range(CLIENTS)]  # a quarter is forged
    clients = [Client(bed, honest, count) for honest, count in shares]
    for client in clients:
        client.start()
    kills = 0
    while any(client.is_alive() for client in clients):
        time.sleep(random.uniform(0.2, 1.0))
        milter = random.choice(bed.sides).zi2
        milter.stop(signal.SIGKILL)
        milter.start()
        kills += 1
    for side in bed.sides:
        side.postfix.drain(seconds=180)
    honest = {word for client in clients if client.honest for word in client.accepted}
    forged = {word for client in clients if not client.honest for word in client.accepted}
    total, retries = len(honest | forged), sum(client.retries for client in clients)
    print(
        f"        {total} mails, {kills} kills, {retries} refused for now and sent again",
        flush=True,
    )
    return honest, forged


def delivered(bed):
    """Ann's mails by their token, which is their subject."""
    found = collections.defaultdict(list)
    for mail in bed.receiver.postfix.inbox(ANN):
        found[mail.one("Subject")].append(mail)
    return found


@promise(
    "in = delivered + deferred; no forged result survives, no forgery passes, no good mail fails"
)
def nothing_lost(bed):
    bed.receiver.postfix.set("header_checks=regexp:$config_directory/forged_checks")
    honest, forged = storm(bed)
    found = delivered(bed)
    waiting = sum(side.postfix.queued() for side in bed.sides)
    lost, twice = (
        (honest | forged) - found.keys(),
        [w for w, mails in found.items() if len(mails) > 1],
    )
    assert len(honest) + len(forged) == len(found) + waiting, (
        len(found),
        waiting,
        sorted(lost)[:5],
    )
    assert not lost and not twice, (sorted(lost)[:5], twice[:5])
    for word, (mail,) in found.items():
        assert b"forged=1" not in mail.raw, mail.raw
        verdict = mail.all("X-ZI2-Verified")
        if word in forged:
            assert not any("result=pass" in value for value in verdict), verdict
        else:
            assert len(mail.all("X-ZI2-Certified")) == 1, mail.fields
            assert not verdict or "result=pass" in verdict[0] or "temperror" in verdict[0], verdict


@promise("both stores open afterwards, and the next mail is judged")
def afterwards(bed):
    bed.submit(ALICE, [ANN], compose(ALICE, ANN, word := token()))
    assert bed.receiver.postfix.arrival(ANN, word).verified()["result"] == "pass"
    assert "sender.example" in bed.receiver.zi2.cert("trust", "list").stdout
