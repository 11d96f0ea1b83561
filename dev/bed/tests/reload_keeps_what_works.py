"""SIGHUP takes a good configuration whole, and a broken one not at all."""

from testbed import ALICE, ANN, compose, promise, token, wait_until


def verdicts(bed):
    """The X-ZI2-Verified fields of a fresh mail."""
    bed.submit(ALICE, [ANN], compose(ALICE, ANN, word := token()))
    return bed.receiver.postfix.arrival(ANN, word).all("X-ZI2-Verified")


@promise("a broken file is refused with its line, and mail is judged as before")
def broken(bed):
    milter = bed.receiver.zi2
    milter.configure("[ingress]\n", "[ingress]\nmood = 1\n")
    milter.reload("zi2.toml")
    milter.logged("mood")
    assert "result=pass" in verdicts(bed)[0]


@promise("a good file is in force for the next connection, without a restart")
def good(bed):
    milter = bed.receiver.zi2
    pid = milter.daemon.pid()
    milter.configure("mood = 1\n", 'mode = "monitor"\n')
    milter.reload("")
    wait_until("monitor mode", lambda: not verdicts(bed), seconds=10)
    assert milter.daemon.pid() == pid


@promise("the sender map is read again too")
def sender_map(bed):
    senders = bed.sender.dir / "senders"
    senders.write_text(senders.read_text().replace("local *", "# local *"))
    bed.sender.zi2.reload("")

    def unsigned():
        message = compose(ALICE, ANN, word := token()).replace(b"\r\n", b"\n")
        bed.sender.postfix.sendmail("-f", ALICE, ANN, message=message)
        return not bed.receiver.postfix.arrival(ANN, word).all("X-ZI2-Certified")

    wait_until("local submission is no longer certified", unsigned, seconds=10)
