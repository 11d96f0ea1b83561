"""Level 3 is for mail submitted here to a mailbox here, and for no other."""

from testbed import ALICE, ANN, CAROL, EVIL, compose, promise, token


@promise("alice to carol: pass, level 3, ok.local")
def local(bed):
    bed.submit(ALICE, [CAROL], compose(ALICE, CAROL, word := token()))
    tags = bed.sender.postfix.arrival(CAROL, word).verified()
    assert (tags["result"], tags["level"], tags["reason"]) == ("pass", "3", "ok.local"), tags


@promise("to carol and ann: level 3 stays here, ann's server says level 1")
def mixed(bed):
    bed.submit(ALICE, [CAROL, ANN], compose(ALICE, f"{CAROL}, {ANN}", word := token()))
    assert bed.sender.postfix.arrival(CAROL, word).verified()["level"] == "3"
    mail = bed.receiver.postfix.arrival(ANN, word)
    assert mail.verified()["level"] == "1"
    assert b"level=3" not in mail.raw


@promise("our own mail sent back in by a stranger has level 1 at most (TC-073, TC-074)")
def returned(bed):
    message = compose(ALICE, f"{ANN}, {CAROL}", word := token())
    bed.submit(ALICE, [ANN], message)
    seen = bed.receiver.postfix.arrival(ANN, word)
    certified = seen.raw.replace(b"\n", b"\r\n").partition(b"X-ZI2-Certified:")
    again = certified[1] + certified[2]
    bed.deliver(EVIL, ALICE, [CAROL], again, to=bed.sender)
    tags = bed.sender.postfix.arrival(CAROL, word).verified()
    assert int(tags["level"]) <= 1, tags
    assert tags["result"] != "pass" or tags["reason"] == "ok.returned", tags
