"""No verdict written by somebody else reaches a mailbox."""

from testbed import ANN, EVIL, compose, promise, token

FORGED = "Authentication-Results: mail.receiver.example; x-zi2=pass policy.forged={}\r\n"
UPPER = "AUTHENTICATION-RESULTS:Mail.RECEIVER.Example 1; x-zi2=pass policy.forged={}\r\n"
FOLDED = "Authentication-Results:\r\n mail.receiver.example;\r\n\tx-zi2=pass policy.forged={}\r\n"
QUOTED = 'Authentication-Results: (x) "mail.receiver.example"; x-zi2=pass policy.forged={}\r\n'
VERIFIED = "X-ZI2-Verified: result=pass; level=3; reason=ok.local; forged={}\r\n"
FOREIGN = "Authentication-Results: other{}.example; spf=pass smtp.mailfrom=a.example\r\n"


def from_evil(bed, extra, **options):
    message = compose("x@evil.example", ANN, word := token(), extra=extra, **options)
    bed.deliver(EVIL, "x@evil.example", [ANN], message)
    return bed.receiver.postfix.arrival(ANN, word)


@promise("eight forged Authentication-Results among others: all gone, the others kept in order")
def eight(bed):
    forms = (FORGED, UPPER, FOLDED, QUOTED) * 2
    extra = "".join(FOREIGN.format(n) + form.format(n) for n, form in enumerate(forms))
    mail = from_evil(bed, extra + FOREIGN.format(8))
    assert b"forged=" not in mail.raw, mail.raw
    results = mail.all("Authentication-Results")
    assert results[0].startswith("mail.receiver.example; x-zi2=none"), results
    assert results[1].startswith("mail.receiver.example; dkim=none"), results
    assert [r.split(".")[0] for r in results[2:]] == [f"other{n}" for n in range(9)], results


@promise("X-ZI2-Verified at the top, between and at the end: all gone, one of ours")
def verified(bed):
    top = "".join(VERIFIED.format(n) for n in range(4)) + "X-ZI2-VERIFIED:forged=5\r\n"
    hop = "Received: from a by b; Wed, 1 Apr 2026 12:00:00 +0000\r\n"
    mail = from_evil(bed, top + hop + VERIFIED.format(6))
    assert b"forged=" not in mail.raw, mail.raw
    assert mail.verified()["result"] == "missing"


@promise("ours stand at index 0, above our server's Received field")
def index_zero(bed):
    names = from_evil(bed, FORGED.format(1)).names()
    ours = names.index("x-zi2-verified"), names.index("authentication-results")
    assert max(ours) < names.index("received"), names


@promise("the same on a mail too big or too odd to be judged")
def odd(bed):
    for extra in ("X-Filler: " + "x" * 900 + "\r\n") * 60, "From: second@evil.example\r\n":
        mail = from_evil(bed, VERIFIED.format(1) + extra + FORGED.format(2))
        assert b"forged=" not in mail.raw, mail.raw[:2000]


@promise("the sender's own port 25 removes them too")
def at_the_sender(bed):
    forged = FORGED.replace("receiver", "sender").format(1) + VERIFIED.format(2)
    message = compose("x@evil.example", "carol@sender.example", word := token(), extra=forged)
    bed.deliver(EVIL, "x@evil.example", ["carol@sender.example"], message, to=bed.sender)
    assert b"forged=" not in bed.sender.postfix.arrival("carol@sender.example", word).raw
