"""DKIM signatures made here verify at OpenDKIM and rspamd, and theirs verify here."""

import re
import shutil

from testbed import ALICE, ANN, BOB, CAROL, WEBAPP, compose, promise, send, token
from testbed.peers import OpenDkimSigner, OpenDkimVerifier, Rspamd

SIGNED = "reloaded: configuration"


def with_keys(bed):
    """Two keys of sender.example, published, and a milter that signs with them."""
    zi2, folder = bed.sender.zi2, bed.sender.dir / "dkim" / "sender.example"
    if not folder.exists():
        zi2.cert("keygen", "--dkim", "--domain", "sender.example")
        bed.publish_dkim("sender.example")
        zi2.configure("[dkim]", "[dkim]\nsign = true")
        zi2.reload(logged=SIGNED)
    keys = sorted(folder.glob("*.pem"))
    assert [key.stem.rpartition("-")[2] for key in keys] == ["ed25519", "rsa"], keys
    return keys


def exchange(bed, login=ALICE, **options):
    bed.submit(login, [ANN], compose(login, ANN, word := token(), **options))
    return bed.receiver.postfix.arrival(ANN, word)


def algorithms(mail):
    found = (re.search(r"\ba=([a-z0-9-]+)", value) for value in mail.all("DKIM-Signature"))
    return sorted(match.group(1) for match in found)


def ours(mail):
    """What our ingress side says of DKIM, one word for each signature."""
    values = [v for v in mail.all("Authentication-Results") if "; dkim=" in v]
    assert len(values) == 1, values
    return re.findall(r"dkim=(\w+)", values[0])


def judged_by(bed, peer):
    """Sets a peer before the receiver in the place of our milter, and gives its results."""
    with_keys(bed)
    with peer:
        bed.receiver.postfix.set(f"smtpd_milters={peer.milter()}")
        try:
            return [exchange(bed, **options) for options in BODIES]
        finally:
            bed.receiver.postfix.set(f"smtpd_milters=unix:{bed.receiver.dir}/ingress.sock")


BODIES = ({}, {"body": ""}, {"body": "Hello \t \r\n\r\n.\r\n..\r\n\r\n\r\n"}, {"date": False})


@promise("RSA and Ed25519 both sign, above the certification and over it; our own ingress agrees")
def both(bed):
    with_keys(bed)
    for options in BODIES:
        mail = exchange(bed, **options)
        assert algorithms(mail) == ["ed25519-sha256", "rsa-sha256"], algorithms(mail)
        names = [n for n in mail.names() if n in ("dkim-signature", "x-zi2-certified")]
        assert names == ["dkim-signature", "dkim-signature", "x-zi2-certified"], names
        for value in mail.all("DKIM-Signature"):
            names = re.sub(r"\s", "", re.search(r"h=([^;]*)", value).group(1)).split(":")
            assert names.count("x-zi2-certified") == 1 and names.count("from") == 2, names
        assert ours(mail) == ["pass", "pass"], mail.all("Authentication-Results")
        assert mail.verified()["result"] == "pass"


@promise("real OpenDKIM verifies both")
def opendkim(bed):
    for mail in judged_by(bed, OpenDkimVerifier("opendkim-verify")):
        values = [v for v in mail.all("Authentication-Results") if v.startswith("opendkim.example")]
        results = re.findall(r"dkim=(\w+)", " ".join(values))
        assert results == ["pass", "pass"], mail.all("Authentication-Results")


@promise("real rspamd verifies both")
def rspamd(bed):
    for mail in judged_by(bed, Rspamd("rspamd-verify")):
        results = re.findall(r"dkim=(\w+)", " ".join(mail.all("Authentication-Results")))
        assert results == ["pass", "pass"], mail.all("Authentication-Results")


@promise("mail that OpenDKIM and rspamd sign verifies here")
def theirs(bed):
    ed25519, rsa = with_keys(bed)
    peers = (
        OpenDkimSigner("opendkim-rsa", rsa),
        OpenDkimSigner("opendkim-ed25519", ed25519),
        Rspamd("rspamd-sign", rsa),
    )
    try:
        for peer in peers:
            with peer:
                bed.sender.postfix.set(f"submission_milters={peer.milter()}")
                mail = exchange(bed)
            assert len(mail.all("DKIM-Signature")) == 1, f"not signed by {peer.program} alone: {mail.names()}"
            assert ours(mail) == ["pass"], (peer.program, mail.all("Authentication-Results"))
    finally:
        bed.sender.postfix.set(f"submission_milters=unix:{bed.sender.dir}/egress.sock")


@promise("who may not send as the From domain is neither certified nor signed")
def mismatch(bed):
    with_keys(bed)
    bed.submit(BOB, [ANN], compose(CAROL, ANN, word := token()), sender=BOB)
    mail = bed.receiver.postfix.arrival(ANN, word)
    assert not mail.all("DKIM-Signature") and not mail.all("X-ZI2-Certified"), mail.names()
    bed.sender.zi2.logged("dkim=skipped", "tenant.login_mismatch")


@promise("a program without a login, and sendmail(1), are signed by the rules of the sender map")
def without_login(bed):
    with_keys(bed)
    send(bed.sender.ip, 587, ALICE, [ANN], compose(ALICE, ANN, word := token()), client=WEBAPP)
    assert ours(bed.receiver.postfix.arrival(ANN, word)) == ["pass", "pass"]
    bed.sender.postfix.sendmail("-f", ALICE, ANN, message=compose(ALICE, ANN, word := token()))
    assert ours(bed.receiver.postfix.arrival(ANN, word)) == ["pass", "pass"]


@promise("a domain without a key is certified alone, and a long line is sent unsigned")
def unsigned(bed):
    with_keys(bed)
    mail = exchange(bed, BOB)
    assert mail.verified()["result"] == "pass" and not mail.all("DKIM-Signature")
    mail = exchange(bed, body="x" * 999 + "\r\n")
    assert not mail.all("DKIM-Signature") and not mail.all("X-ZI2-Certified")
    text = bed.sender.zi2.metrics()
    for reason in ("key.missing", "message.not_smtp"):
        assert f'zi2_dkim_signatures_total{{result="skipped",reason="{reason}"}}' in text, text


@promise("a reload with a bad key keeps what signs, and says the command that mends it")
def bad_key(bed):
    ed25519, _ = with_keys(bed)
    ed25519.chmod(0o444)
    bed.sender.zi2.reload(logged="not reloaded")
    bed.sender.zi2.logged("not reloaded", "chmod 0400", ed25519.name)
    assert ours(exchange(bed)) == ["pass", "pass"]
    ed25519.chmod(0o400)
    bed.sender.zi2.reload(logged=SIGNED)


@promise("OpenDKIM's own KeyTable and SigningTable sign here as they are")
def tables(bed):
    ed25519, rsa = with_keys(bed)
    folder = bed.sender.dir / "tables"
    folder.mkdir()
    lines = []
    for key in (ed25519, rsa):
        shutil.move(key, folder / key.name)
        lines.append(f"{key.stem} sender.example:{key.stem}:{folder / key.name}\n")
    (folder / "KeyTable").write_text("# NAME DOMAIN:SELECTOR:FILE\n" + "".join(lines))
    (folder / "SigningTable").write_text(f"*@sender.example {rsa.stem}\n*@*.example {ed25519.stem}\n")
    shutil.chown(folder, "nobody", "postfix")
    bed.sender.zi2.configure(
        "sign = true",
        f'sign = true\nkey_table = "{folder}/KeyTable"\nsigning_table = "refile:{folder}/SigningTable"',
    )
    bed.sender.zi2.reload(logged=SIGNED)
    assert ours(exchange(bed)) == ["pass", "pass"]
