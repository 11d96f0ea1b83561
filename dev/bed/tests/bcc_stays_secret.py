"""A blind recipient is named in no field of any copy."""

from testbed import ALICE, ANN, CAROL, compose, promise, token


@promise("neither a Bcc field nor the blind recipient's address leaves with the certificate")
def blind(bed):
    message = compose(ALICE, ANN, word := token(), extra=f"Bcc: {CAROL}\r\n")
    bed.submit(ALICE, [ANN, CAROL], message)
    mail = bed.receiver.postfix.arrival(ANN, word)
    assert not mail.all("Bcc")
    assert b"carol" not in mail.raw, mail.raw
    assert mail.verified()["result"] == "pass", mail.verified()


@promise("the blind recipient's own copy passes as well")
def own_copy(bed):
    bed.submit(ALICE, [ANN, CAROL], compose(ALICE, ANN, word := token()))
    assert bed.sender.postfix.arrival(CAROL, word).verified()["result"] == "pass"
