"""Bounces with DKIM2: Postfix' own are signed on their way out, and whoever gets one knows whose mail it is about."""

import json
import smtplib

from testbed import ALICE, EVIL, compose, promise, token
from testbed.dkim2 import signing
from testbed.process import wait_until

NOBODY = "nobody@receiver.example"
ROUTE = "{ sender.example = smtp:[127.0.0.2]:25 }"


def both(bed):
    """The receiver takes mail for anybody, and writes bounces of what it cannot deliver."""
    receiver = bed.receiver
    if "egress.sock" in receiver.zi2.config.read_text():
        return
    signing(bed, bed.sender, "sender.example")
    receiver.zi2.keygen("receiver.example")
    receiver.zi2.configure("listen = []        # sends nothing", f'listen = ["unix:{receiver.dir}/egress.sock"]')
    receiver.postfix.edit("smtpd_reject_unlisted_recipient=no", f"transport_maps=inline:{{ {ROUTE} }}")
    signing(bed, receiver, "receiver.example")
    wait_until("egress.sock is there", lambda: (receiver.dir / "egress.sock").exists())


def bounced(bed):
    """The bounce of a mail of Alice's, as she gets it."""
    both(bed)
    bed.submit(ALICE, [NOBODY], compose(ALICE, NOBODY, word := token()))
    return bed.sender.postfix.arrival(ALICE, word)


@promise("the bounce of a mail to an unknown mailbox comes back signed, and is known to be about that mail")
def signed(bed):
    bounce = bounced(bed)
    assert bounce.all("Return-Path") == ["<>"] or b"MAILER-DAEMON" in bounce.raw, bounce.raw
    assert "d=receiver.example" in bounce.one("DKIM2-Signature"), bounce.raw
    results = [value for value in bounce.all("Authentication-Results") if "dkim2=" in value]
    assert len(results) == 1 and "dkim2=pass" in results[0], bounce.raw
    bed.receiver.zi2.logged("direction=egress", "dkim2=signed", "dkim2_reason=bounce")
    bed.sender.zi2.logged("direction=ingress", "bounce=authentic", "dkim2_replay=new")


@promise("a bounce by a stranger is logged as forged, and refused where the postmaster wants it")
def forged(bed):
    theirs = bounced(bed).raw.decode()
    start = min(theirs.index("\nDate: "), theirs.index("\nFrom: ")) + 1
    stranger = theirs[start:].replace("MAILER-DAEMON@receiver.example", "MAILER-DAEMON@tenant-b.example")
    path = bed.sender.dir / "forged.eml"
    path.write_bytes(stranger.encode())
    bed.sender.zi2.cert("keygen", "--dkim", "--domain", "tenant-b.example")
    bed.publish_dkim("tenant-b.example")
    (key,) = (bed.sender.dir / "dkim/tenant-b.example").glob("*ed25519.pem")
    by = ("--domain", "tenant-b.example", "--selector", key.stem, "--key", key)
    made = bed.sender.zi2.cert("dkim2", "sign", *by, "--sender", "<>", "--recipient", ALICE, path).stdout
    message = made.replace("\r\n", "\n").replace("\n", "\r\n").encode()
    bed.deliver(EVIL, "", [ALICE], message, to=bed.sender)
    bed.sender.zi2.logged("direction=ingress", "bounce=forged")
    bed.sender.zi2.configure("[dkim2]\n", '[dkim2]\nbounces = "reject"\n')
    bed.sender.zi2.restart()
    try:
        bed.deliver(EVIL, "", [ALICE], message, to=bed.sender)
    except smtplib.SMTPDataError as refusal:
        assert refusal.smtp_code == 550 and b"5.7.1" in refusal.smtp_error, refusal
        assert b"was not sent to tenant-b.example" in refusal.smtp_error, refusal
    else:
        raise AssertionError("the forged bounce was taken")
    assert "d=receiver.example" in bounced(bed).one("DKIM2-Signature"), "an authentic one is taken all the same"


@promise("mail sent twice to the same recipient is logged as a replay, and delivered")
def replayed(bed):
    both(bed)
    bounce = bounced(bed).raw.decode()
    message = bounce[bounce.index("DKIM2-Signature:") :].replace("\n", "\r\n").encode()
    bed.deliver(EVIL, "", [ALICE], message, to=bed.sender)
    bed.sender.zi2.logged("direction=ingress", "dkim2=pass", "dkim2_replay=replayed")


@promise("doctor says when Postfix keeps its bounces to itself")
def doctor(bed):
    both(bed)

    def findings():
        said = bed.receiver.zi2.cert("doctor", "--json", "--postfix", bed.receiver.postfix.etc, check=False)
        return [f["status"] for f in json.loads(said.stdout)["findings"] if f["check"] == "postfix.bounces"]

    assert findings() == ["ok"], findings()
    bed.receiver.postfix.edit("internal_mail_filter_classes=")
    assert findings() == ["warning"], findings()
