"""SIGTERM: the message being received is still judged, then the milter ends."""

import signal
import smtplib
import time

from testbed import ANN, DESK, compose, promise, token, wait_until


@promise("a message half sent at SIGTERM is delivered with its verdict, and the milter ends")
def in_flight(bed):
    message = compose("x@evil.example", ANN, word := token())
    milter = bed.receiver.zi2.daemon
    with smtplib.SMTP(bed.receiver.ip, 25, "client.example", 30, (DESK, 0)) as smtp:
        smtp.ehlo()
        smtp.mail("x@evil.example")
        smtp.rcpt(ANN)
        assert smtp.docmd("DATA")[0] == 354
        smtp.sock.sendall(message[:40])
        milter.kill(signal.SIGTERM)
        time.sleep(0.5)  # whatever SIGTERM breaks has time to break
        assert milter.pid(), "the milter left a message alone"
        smtp.sock.sendall(message[40:] + b"\r\n.\r\n")
        assert smtp.getreply()[0] == 250
    assert bed.receiver.postfix.arrival(ANN, word).verified()["result"] == "missing"
    wait_until("the milter ends", lambda: not milter.pid(), seconds=30)


@promise("its store opens again, and it goes on")
def again(bed):
    bed.receiver.zi2.start()
    message = compose("x@evil.example", ANN, word := token())
    bed.deliver(DESK, "x@evil.example", [ANN], message)
    assert bed.receiver.postfix.arrival(ANN, word).verified()["result"] == "missing"
