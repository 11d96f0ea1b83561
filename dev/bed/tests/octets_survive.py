"""Signing adds one field and touches nothing else; what SMTP would change is not signed."""

from testbed import ALICE, ANN, compose, promise, token

SUNK = "someone@sink.example"
ODD = (
    "X-None:value\r\nX-Two:  value\r\nX-Tab:\tvalue \r\n"
    "X-Folded: one\r\n  two\r\n\tthree\r\nX-Empty:\r\nX-Raw: Gr\u00fc\u00dfe\r\n"
)


@promise("folds, leading blanks and 8-bit fields leave as they came, with one certificate on top")
def unchanged(bed):
    message = compose(ALICE, SUNK, word := token(), extra=ODD, body="Gr\u00fc\u00dfe\r\n\r\n\r\n")
    bed.submit(ALICE, [SUNK], message)
    sunk = bed.sunk(word)
    head, found, rest = sunk.partition(b"X-None:value\r\n")
    assert found + rest == message, f"{sunk!r}\ndoes not end in\n{message!r}"
    assert b"X-ZI2-Certified: v=1; " in head, head
    assert b"\r\r" not in sunk, "a CR too many in a fold"


@promise("the same message verifies at the receiver")
def verifies(bed):
    bed.submit(
        ALICE, [ANN], compose(ALICE, ANN, word := token(), extra=ODD, body="Gr\u00fc\u00dfe\r\n")
    )
    tags = bed.receiver.postfix.arrival(ANN, word).verified()
    assert tags["result"] == "pass", tags


@promise("a line over 998 octets is sent without a certificate, and the log says why")
def long_line(bed):
    bed.submit(ALICE, [ANN], compose(ALICE, ANN, word := token(), body="x" * 999 + "\r\n"))
    assert not bed.receiver.postfix.arrival(ANN, word).all("X-ZI2-Certified")
    bed.sender.zi2.logged("message.not_smtp")


@promise("a line of 998 octets is certified and verifies")
def longest_line(bed):
    bed.submit(ALICE, [ANN], compose(ALICE, ANN, word := token(), body="x" * 998 + "\r\n"))
    tags = bed.receiver.postfix.arrival(ANN, word).verified()
    assert tags["result"] == "pass", tags
