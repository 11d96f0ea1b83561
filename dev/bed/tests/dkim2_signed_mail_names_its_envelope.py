"""DKIM2, set up by what `zi2-cert setup postfix` prints: each copy names its envelope, and a forwarder signs on."""

import json

from testbed import ALICE, ANN, BOB, CAROL, compose, promise, token
from testbed.dkim2 import forwarding, signing
from testbed.layout import EDITOR, STATE
from testbed.process import Helper, greets

BLIND = "blind@sink.example"
BOSS = "boss@sink.example"
LIST = "list@receiver.example"
FORWARDER = "fwd@receiver.example"


def both(bed):
    signing(bed, bed.sender, "sender.example")
    if not (STATE / "editor").exists():
        (STATE / "editor").mkdir()
        bed.receiver.postfix.edit(
            f"content_filter=smtp:[{EDITOR[0]}]:{EDITOR[1]}",
            f"virtual_alias_maps=inline:{{ {{ {LIST} = bob@sink.example }} }}",
        )
        forwarding(bed, bed.receiver, "receiver.example")
    editor = Helper(STATE / "editor", "editor")
    editor.start(*EDITOR, bed.receiver.ip, 10027, FORWARDER, ready=lambda: greets(EDITOR))
    return editor


def verified(bed, wire, envelope):
    """What an outsider's zi2-cert says of a message in its envelope."""
    path = bed.sender.dir / "look.eml"
    path.write_bytes(wire)
    args = ["--mail-from", envelope[0], *(arg for rcpt in envelope[1:] for arg in ("--rcpt", rcpt))]
    return bed.sender.zi2.cert("dkim2", "verify", path, *args, check=False)


def passes(bed, wire, envelope):
    done = verified(bed, wire, envelope)
    assert done.returncode == 0, f"{envelope}: {done.stdout}{done.stderr}\n{wire.decode('latin-1')}"


@promise("what is submitted leaves signed for the envelope it is sent with, by DKIM2, DKIM and ZI2")
def originated(bed):
    signing(bed, bed.sender, "sender.example")
    for options in ({}, {"body": "Gr\xfc\xdfe.\r\n"}, {"date": False}, {"body": "x" * 1200 + "\r\n"}):
        message = compose(ALICE, BOSS, word := token(), **options)
        bed.submit(ALICE, [BOSS], message)
        wire, envelope = bed.sunk_to(word, BOSS)
        assert envelope == [f"<{ALICE}>", f"<{BOSS}>"], envelope
        if "x" not in options.get("body", ""):
            passes(bed, wire, envelope)
            assert verified(bed, wire, [envelope[0], "<other@sink.example>"]).returncode == 1


@promise("each recipient has a copy of its own, and no copy names a blind one")
def blind(bed):
    signing(bed, bed.sender, "sender.example")
    bed.submit(ALICE, [BOSS, BLIND, CAROL], compose(ALICE, f"{BOSS}, {CAROL}", word := token()))
    for recipient in (BOSS, BLIND):
        wire, envelope = bed.sunk_to(word, recipient)
        assert envelope[1:] == [f"<{recipient}>"], envelope
        passes(bed, wire, envelope)
    assert bed.sender.postfix.arrival(CAROL, word).verified()["result"] == "pass", "local copies keep their marks"


@promise("canonical maps and copies are in the envelope that is signed")
def rewritten(bed):
    signing(bed, bed.sender, "sender.example")
    maps = [
        "sender_canonical_maps=inline:{ { alice@sender.example = news@sender.example } }",
        "sender_canonical_classes=envelope_sender",
        "always_bcc=archive@sink.example",
    ]
    bed.sender.postfix.set(*maps)
    try:
        bed.submit(ALICE, [BOSS], compose(ALICE, BOSS, word := token()))
        for recipient in (BOSS, "archive@sink.example"):
            wire, envelope = bed.sunk_to(word, recipient)
            assert envelope == ["<news@sender.example>", f"<{recipient}>"], envelope
            passes(bed, wire, envelope)
    finally:
        bed.sender.postfix.set(*(f"{name.partition('=')[0]}=" for name in maps if "classes" not in name))


@promise("who may not send as the From domain is not signed, whatever way the mail takes")
def mismatch(bed):
    signing(bed, bed.sender, "sender.example")
    bed.submit(BOB, [BOSS], compose(ALICE, BOSS, word := token()), sender=BOB)
    assert b"DKIM2-Signature" not in bed.sunk(word)
    bed.sender.zi2.logged("direction=handoff", "dkim2.not_ours")


@promise("a forwarder that changes Subject and body signs on, and the change can be undone")
def forwarded(bed):
    editor = both(bed)
    try:
        bed.submit(ALICE, [LIST], compose(ALICE, LIST, word := token(), body="Hello.\r\n\r\nAlice\r\n"))
        wire, envelope = bed.sunk_to(word, "bob@sink.example")
        assert envelope == [f"<{FORWARDER}>", "<bob@sink.example>"], envelope
        assert b"Subject: [edited]" in wire and wire.count(b"DKIM2-Signature:") == 2, wire
        passes(bed, wire, envelope)
        path = bed.sender.dir / "look.eml"
        undone = bed.sender.zi2.cert("dkim2", "undo", path, "--to", "1").stdout
        assert f"Subject: {word}" in undone and "forwarded" not in undone, undone
        bed.receiver.zi2.logged("direction=handoff", "dkim2=signed", "further")
    finally:
        editor.stop()


@promise("forwarded mail without DKIM2 is sent on as it is; nobody is signed in the name of a stranger")
def others(bed):
    editor = both(bed)
    try:
        message = compose("x@evil.example", LIST, word := token())
        bed.deliver("127.0.0.66", "x@evil.example", [LIST], message)
        assert b"DKIM2-Signature" not in bed.sunk(word)
        forged = compose(ANN, LIST, word := token())
        bed.deliver("127.0.0.66", ANN, [LIST], forged)
        assert b"DKIM2-Signature" not in bed.sunk(word)
    finally:
        editor.stop()


@promise("doctor finds nothing wrong with what setup prints, and finds each thing that is undone")
def doctor(bed):
    signing(bed, bed.sender, "sender.example")

    def findings():
        said = bed.sender.zi2.cert("doctor", "--json", "--postfix", bed.sender.postfix.etc, check=False)
        found = json.loads(said.stdout)["findings"]
        wrong = ("postfix.dkim2", "postfix.conversion", "postfix.recipients", "postfix.dropped")
        return {f["check"] for f in found if f["check"] in wrong and f["status"] != "ok"}

    assert findings() == set(), findings()
    for change, back, check in (
        ("disable_mime_output_conversion=no", "disable_mime_output_conversion=yes", "postfix.conversion"),
        ("zi2-sign_destination_recipient_limit=50", "zi2-sign_destination_recipient_limit=1", "postfix.recipients"),
    ):
        bed.sender.postfix.edit(change)
        assert findings() == {check}, (change, findings())
        bed.sender.postfix.edit(back)
