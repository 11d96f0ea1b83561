"""DKIM2 through a real mail server: bound to its envelope, and undone where a list changed certified mail."""

import re

from testbed import ALICE, ANN, CAROL, EVIL, compose, promise, token

LIST, BOUNCES = "list@tenant-b.example", "bounces@tenant-b.example"


class Desk:
    """Whoever signs in this bed: sender.example as the author's server, tenant-b.example as a list."""

    def __init__(self, bed):
        self.zi2, self.folder = bed.sender.zi2, bed.sender.dir / "desk"
        if not self.folder.exists():
            self.folder.mkdir()
            for domain in ("sender.example", "tenant-b.example"):
                self.zi2.cert("keygen", "--dkim", "--domain", domain)
                bed.publish_dkim(domain)

    def file(self, message):
        path = self.folder / token()
        path.write_bytes(message)
        return path

    def certified(self, message):
        return octets(self.zi2.cert("sign", self.file(message)).stdout)

    def hop(self, domain, sender, recipient, message, *before):
        """The message with one more hop; `before` says what it was made of, and how that had come."""
        (key,) = (self.zi2.dir / "dkim" / domain).glob("*ed25519.pem")
        by = ("--domain", domain, "--selector", key.stem, "--key", key)
        to = ("--sender", sender, "--recipient", recipient)
        signed = self.zi2.cert("dkim2", "sign", *by, *to, *before, self.file(message))
        return octets(signed.stdout)

    def sent(self, message, recipient):
        return self.hop("sender.example", ALICE, recipient, message)

    def by_list(self, received, outgoing, recipient=ANN):
        came = ("--received", self.file(received), "--mail-from", ALICE, "--rcpt", LIST)
        return self.hop("tenant-b.example", BOUNCES, recipient, outgoing, *came)


def octets(text):
    """What a program printed, with the line ends of SMTP."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()


def arrived(bed, sender, message, word):
    bed.deliver(EVIL, sender, [ANN], message)
    mail = bed.receiver.postfix.arrival(ANN, word)
    values = [v for v in mail.all("Authentication-Results") if "; dkim=" in v]
    assert len(values) == 1, values
    return mail, re.findall(r"dkim2=[^;]*", values[0])


def edited(message, word):
    """What a list makes of it."""
    text = message.decode().replace(f"Subject: {word}", f"List-Id: <l.tenant-b.example>\r\nSubject: [l] {word}")
    return (text + "___\r\nthe list\r\n").encode()


@promise("a message signed for this envelope passes, in the field, the log and the figures")
def bound(bed):
    desk, word = Desk(bed), token()
    message = desk.sent(desk.certified(compose(ALICE, ANN, word)), ANN)
    mail, found = arrived(bed, ALICE, message, word)
    assert found == ["dkim2=pass header.d=sender.example"], found
    assert mail.verified()["reason"] == "ok.dns", mail.verified()
    bed.receiver.zi2.logged("dkim2=pass", "ok.dns")
    assert 'zi2_dkim2_results_total{result="pass"} 1' in bed.receiver.zi2.metrics()


@promise("signed for somebody else it fails, which marks nobody")
def elsewhere(bed):
    desk = Desk(bed)
    for sender, recipient, reason in ((ALICE, CAROL, "rcpt_to"), (CAROL, ANN, "mail_from")):
        word = token()
        message = desk.sent(desk.certified(compose(ALICE, ANN, word)), recipient)
        mail, found = arrived(bed, sender, message, word)
        assert found == [f"dkim2=fail reason={reason} header.d=sender.example header.i=1"], found
        tags = mail.verified()
        assert tags["reason"] == "ok.dns" and "spoof" not in tags, tags


@promise("what a list changed is undone: the certified message stands behind it, and who changed it is named")
def restored(bed):
    desk = Desk(bed)
    for body in ("Hello.\r\n", "", "\r\n" * 5 + "x\r\n\r\n", ("x" * 76 + "\r\n") * 60_000):
        received = desk.sent(desk.certified(compose(ALICE, LIST, word := token(), body=body)), LIST)
        message = desk.by_list(received, edited(received, word))
        mail, found = arrived(bed, BOUNCES, message, word)
        assert found == ["dkim2=pass header.d=sender.example"], found
        tags = mail.verified()
        assert (tags["result"], tags["reason"]) == ("pass", "ok.restored.dkim2"), tags
        assert (tags["via"], tags["level"], tags["hist"]) == ("tenant-b.example", "1", "unverified"), tags
        ours = [v for v in mail.all("Authentication-Results") if "x-zi2=pass" in v]
        assert len(ours) == 1 and "policy.via=tenant-b.example" in ours[0], ours


@promise("without the chain, or with a recipe that is not true, it stays tampered")
def not_restored(bed):
    desk = Desk(bed)
    received = desk.sent(desk.certified(compose(ALICE, LIST, word := token())), LIST)
    message = desk.by_list(received, edited(received, word))
    changed = message.replace(b"Hello.", b"Good bye.")
    bare = edited(desk.certified(compose(ALICE, LIST, other := token())), other)
    for octets, subject, dkim2 in (
        (changed, word, ["dkim2=fail reason=body_hash header.d=sender.example header.i=2"]),
        (bare, other, []),
    ):
        mail, found = arrived(bed, BOUNCES, octets, subject)
        assert found == dkim2, found
        tags = mail.verified()
        assert (tags["result"], tags["level"]) == ("tampered", "0"), tags
