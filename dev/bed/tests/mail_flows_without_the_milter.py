"""A milter that is down costs verdicts, never mail."""

import smtplib

from testbed import ALICE, ANN, EVIL, compose, promise, token

FORGED = (
    "X-ZI2-Verified: result=pass; forged=1\r\n"
    "Authentication-Results: mail.receiver.example; x-zi2=pass policy.forged=2\r\n"
)


@promise("receiver's milter down (action accept): delivered unmarked, forgeries cut by Postfix")
def receiver_down(bed):
    bed.receiver.postfix.set("header_checks=regexp:$config_directory/forged_checks")
    bed.receiver.zi2.stop()
    message = compose("x@evil.example", ANN, word := token(), extra=FORGED)
    bed.deliver(EVIL, "x@evil.example", [ANN], message)
    mail = bed.receiver.postfix.arrival(ANN, word)
    assert not mail.all("X-ZI2-Verified") and b"forged" not in mail.raw, mail.raw


@promise("it comes back, and the next mail is judged")
def receiver_back(bed):
    bed.receiver.zi2.start()
    bed.submit(ALICE, [ANN], compose(ALICE, ANN, word := token()))
    assert bed.receiver.postfix.arrival(ANN, word).verified()["result"] == "pass"


@promise("sender's milter down (action tempfail on submission): try again later, nothing unsigned")
def sender_down(bed):
    bed.sender.zi2.stop()
    try:
        bed.submit(ALICE, [ANN], compose(ALICE, ANN, token()))
    except smtplib.SMTPResponseException as answer:
        assert 400 <= answer.smtp_code < 500, answer
    else:
        raise AssertionError("accepted without a certificate")
    bed.sender.zi2.start()
    bed.submit(ALICE, [ANN], compose(ALICE, ANN, word := token()))
    assert bed.receiver.postfix.arrival(ANN, word).verified()["result"] == "pass"
