"""Mail submitted with a login is certified there and verified elsewhere."""

from testbed import ALICE, ANN, BOB, EVIL, compose, promise, token


def exchange(bed, login, recipient=ANN, **options):
    bed.submit(login, [recipient], compose(login, recipient, word := token(), **options))
    return bed.receiver.postfix.arrival(recipient, word)


@promise("one certificate, one verdict: pass, level 1, key from DNS")
def plain(bed):
    mail = exchange(bed, ALICE)
    assert "kid=zi2-cert-" in mail.one("X-ZI2-Certified")
    tags = mail.verified()
    assert tags["result"] == "pass", tags
    assert (tags["level"], tags["reason"]) == ("1", "ok.dns"), tags
    assert (tags["d"], tags["by"]) == ("sender.example", "mail.receiver.example"), tags


@promise("Authentication-Results says the same in a field of its own")
def authentication_results(bed):
    values = exchange(bed, ALICE).all("Authentication-Results")
    assert len(values) == 2, values
    assert values[0].startswith("mail.receiver.example; x-zi2=pass header.d=sender.example"), values


@promise("SPF, DKIM and DMARC stand in another field")
def existing_chain(bed):
    value = exchange(bed, ALICE).all("Authentication-Results")[1]
    parts = value.split("; ")
    assert parts[:2] == ["mail.receiver.example", "dkim=none"], value
    assert parts[2:] == [
        "spf=pass smtp.mailfrom=sender.example",
        "dmarc=pass header.from=sender.example",
    ], value


@promise("a stranger who claims the domain fails SPF and DMARC")
def stranger(bed):
    message = compose(ALICE, ANN, word := token())
    bed.deliver(EVIL, ALICE, [ANN], message)
    mail = bed.receiver.postfix.arrival(ANN, word)
    value = mail.all("Authentication-Results")[1]
    assert "spf=fail smtp.mailfrom=sender.example" in value, value
    assert "dmarc=fail header.from=sender.example" in value, value


@promise("a second customer of the same server is certified under its own domain")
def other_tenant(bed):
    tags = exchange(bed, BOB).verified()
    assert (tags["result"], tags["d"]) == ("pass", "tenant-b.example"), tags


@promise("a body of one line, none, many empty lines or dots verifies")
def bodies(bed):
    for body in ("x\r\n", "", "\r\n" * 50, ".\r\n..\r\n.x\r\n", "no newline at the end"):
        tags = exchange(bed, ALICE, body=body).verified()
        assert tags["result"] == "pass", (body, tags)


@promise("a body of 5 MiB verifies")
def large(bed):
    tags = exchange(bed, ALICE, body=("x" * 76 + "\r\n") * 67_000).verified()
    assert tags["result"] == "pass", tags


@promise("both milters count what they did, without names")
def metrics(bed):
    mail = exchange(bed, ALICE)
    assert mail.verified()["result"] == "pass"
    for side, name in (
        (bed.sender, "zi2_signatures_total"),
        (bed.receiver, "zi2_verifications_total"),
    ):
        text = side.zi2.metrics()
        assert name in text, text[:500]
        assert "example" not in text, "a domain stands in the metrics"


@promise("one log line per message, with its queue id and reason")
def log_line(bed):
    mail = exchange(bed, ALICE)
    queue_id = mail.all("Received")[0].partition(" id ")[2].split()[0].rstrip(";")
    bed.receiver.zi2.logged(queue_id, "ok.dns", "sender.example")
