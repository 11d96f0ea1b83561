"""What sendmail(1) submits is certified only where a `local` rule says so."""

from testbed import ALICE, ANN, BOB, compose, promise, token


def by_sendmail(bed, author, **options):
    message = compose(author, ANN, word := token(), **options).replace(b"\r\n", b"\n")
    bed.sender.postfix.sendmail("-f", author, ANN, message=message)
    return bed.receiver.postfix.arrival(ANN, word)


@promise("a domain with a rule is certified")
def listed(bed):
    assert by_sendmail(bed, ALICE).verified()["result"] == "pass"


@promise("Date and Message-ID that Postfix adds are covered")
def completed(bed):
    mail = by_sendmail(bed, ALICE, date=False, message_id=False)
    assert mail.one("Date") and mail.one("Message-ID")
    assert mail.verified()["result"] == "pass", mail.verified()


@promise("a hosted domain without a rule is not")
def not_listed(bed):
    assert not by_sendmail(bed, BOB).all("X-ZI2-Certified")
    bed.sender.zi2.logged("tenant.login_mismatch", "tenant-b.example")
