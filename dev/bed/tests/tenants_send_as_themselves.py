"""A login is certified only as a domain it may send as, whatever the envelope says."""

from testbed import ALICE, ANN, BOB, CAROL, WEBAPP, compose, promise, send, token


def submitted(bed, login, message, recipients=(ANN,), **options):
    bed.submit(login, list(recipients), message, **options)


@promise("bob as alice: no certificate; the remote copy is spoof by alice's policy")
def foreign_domain(bed):
    submitted(bed, BOB, compose(ALICE, ANN, word := token()))
    mail = bed.receiver.postfix.arrival(ANN, word)
    assert not mail.all("X-ZI2-Certified")
    tags = mail.verified()
    assert (tags["reason"], tags["spoof"]) == ("policy.expected_missing", "yes"), tags
    bed.sender.zi2.logged("tenant.login_mismatch")


@promise("bob as alice to a neighbour: the local copy says tenant.login_mismatch, spoof=yes")
def local_copy(bed):
    submitted(bed, BOB, compose(ALICE, CAROL, word := token()), [CAROL])
    tags = bed.sender.postfix.arrival(CAROL, word).verified()
    assert (tags["result"], tags["level"]) == ("missing", "0"), tags
    assert (tags["reason"], tags["spoof"]) == ("tenant.login_mismatch", "yes"), tags


@promise("to both at once: each copy says its own server's word, the sender's does not leave")
def both(bed):
    submitted(bed, BOB, compose(ALICE, f"{CAROL}, {ANN}", word := token()), [CAROL, ANN])
    local = bed.sender.postfix.arrival(CAROL, word).verified()
    remote = bed.receiver.postfix.arrival(ANN, word).verified()
    assert local["by"] == "mail.sender.example", local
    assert remote["by"] == "mail.receiver.example", remote


@promise("alice's envelope with somebody else's From is not certified (TC-081)")
def envelope(bed):
    submitted(bed, ALICE, compose("ceo@tenant-b.example", ANN, word := token()))
    assert not bed.receiver.postfix.arrival(ANN, word).all("X-ZI2-Certified")


@promise("a trusted network without a login is certified only as the domains listed (TC-082)")
def network(bed):
    for author, certified in ((ALICE, True), (BOB, False)):
        message = compose(author, ANN, word := token())
        send(bed.sender.ip, 587, author, [ANN], message, client=WEBAPP)
        mail = bed.receiver.postfix.arrival(ANN, word)
        assert bool(mail.all("X-ZI2-Certified")) == certified, (author, mail.fields)


@promise("two From fields are not certified (TC-083)")
def two_froms(bed):
    message = compose(ALICE, ANN, word := token(), extra=f"From: {ALICE}\r\n")
    submitted(bed, ALICE, message)
    assert not bed.receiver.postfix.arrival(ANN, word).all("X-ZI2-Certified")


@promise("the case of the From address does not matter (TC-084)")
def letter_case(bed):
    submitted(bed, ALICE, compose("Alice <Alice@SENDER.Example>", ANN, word := token()))
    tags = bed.receiver.postfix.arrival(ANN, word).verified()
    assert (tags["result"], tags["d"]) == ("pass", "sender.example"), tags


@promise("certificates the client brought are replaced by one of ours")
def brought_along(bed):
    extra = "X-ZI2-Certified: v=1; t=1; kid=zi2-cert-2026-04\r\n" * 3
    submitted(bed, ALICE, compose(ALICE, ANN, word := token(), extra=extra))
    mail = bed.receiver.postfix.arrival(ANN, word)
    assert len(mail.all("X-ZI2-Certified")) == 1
    assert mail.verified()["result"] == "pass"


@promise("mail from outside that claims a hosted domain is not certified, and marked")
def from_outside(bed):
    bed.deliver("127.0.0.66", ALICE, [CAROL], compose(ALICE, CAROL, word := token()), to=bed.sender)
    mail = bed.sender.postfix.arrival(CAROL, word)
    assert not mail.all("X-ZI2-Certified")
    assert mail.verified()["spoof"] == "yes", mail.verified()


@promise("on_mismatch = reject refuses bob as alice at the end of DATA")
def reject(bed):
    import smtplib

    bed.sender.zi2.configure("issued_log = true", 'issued_log = true\non_mismatch = "reject"')
    bed.sender.zi2.stop()
    bed.sender.zi2.start()
    try:
        submitted(bed, BOB, compose(ALICE, ANN, token()))
    except smtplib.SMTPDataError as refusal:
        assert refusal.smtp_code == 550, refusal
    else:
        raise AssertionError("bob's mail as alice was accepted")
    submitted(bed, BOB, compose(BOB, ANN, word := token()))
    assert bed.receiver.postfix.arrival(ANN, word).verified()["result"] == "pass"
