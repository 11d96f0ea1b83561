"""In monitor mode the receiver's milter judges and counts, and changes no octet."""

from testbed import ALICE, EVIL, compose, promise, token

SUNK = "someone@sink.example"


def through(bed, message, word):
    """The octets that leave the receiver, without the Received field it adds on top."""
    bed.deliver(EVIL, "x@evil.example", [SUNK], message)
    lines = bed.sunk(word).split(b"\r\n")
    rest = next(n for n, line in enumerate(lines) if n and not line.startswith((b" ", b"\t")))
    assert lines[0].startswith(b"Received:"), lines[0]
    return b"\r\n".join(lines[rest:])


@promise("forged fields, odd spacing and 8-bit text leave as they came")
def unchanged(bed):
    bed.receiver.zi2.configure("[ingress]\n", '[ingress]\nmode = "monitor"\n')
    bed.receiver.zi2.stop()
    bed.receiver.zi2.start()
    extra = "X-ZI2-Verified:result=pass\r\nX-Odd:   three  \r\nX-Folded:a\r\n\tb\r\n"
    message = compose(ALICE, SUNK, word := token(), extra=extra, body="Grüße\r\n..\r\n\r\n\r\n")
    left = through(bed, message, word)
    assert left == message, f"{left!r}\nis not\n{message!r}"


@promise("and yet the verdict is in the log")
def logged(bed):
    bed.receiver.zi2.logged("missing", "sender.example")
