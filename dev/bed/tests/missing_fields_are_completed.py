"""Date and Message-ID that the client left out are added before signing, once."""

from testbed import ALICE, ANN, WEBAPP, compose, promise, send, token


def arrives_whole(bed, word):
    mail = bed.receiver.postfix.arrival(ANN, word)
    assert mail.one("Date") and mail.one("Message-ID")
    assert mail.verified()["result"] == "pass", mail.verified()


@promise("by a login whose mail program leaves both out")
def login(bed):
    bed.submit(ALICE, [ANN], compose(ALICE, ANN, word := token(), date=False, message_id=False))
    arrives_whole(bed, word)


@promise("where Postfix adds them itself (local_header_rewrite_clients)")
def by_postfix(bed):
    bed.sender.postfix.set("local_header_rewrite_clients=permit_sasl_authenticated")
    bed.submit(ALICE, [ANN], compose(ALICE, ANN, word := token(), date=False, message_id=False))
    arrives_whole(bed, word)


@promise("by a trusted network, one of the two missing")
def network(bed):
    for left_out in ({"date": False}, {"message_id": False}):
        message = compose(ALICE, ANN, word := token(), **left_out)
        send(bed.sender.ip, 587, ALICE, [ANN], message, client=WEBAPP)
        arrives_whole(bed, word)
