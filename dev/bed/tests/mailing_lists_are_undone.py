"""Certified mail through GNU Mailman: Subject and body are changed, SPF and DKIM break, and the certification still speaks."""

import base64

from testbed import ALICE, ANN, compose, promise, token
from testbed.bed import Side
from testbed.dkim2 import forwarding, signing
from testbed.layout import STATE
from testbed.mailman import Mailman

LIST = "talk@list.example"


class ListHost(Side):
    """A third server, with Mailman behind its Postfix."""

    def __init__(self, bed):
        super().__init__("list", "127.0.0.6", [])
        self.bed = bed

    def __enter__(self):
        self.dir.mkdir()
        self.zi2.prepare()
        self.zi2.start()
        self.postfix.start()
        return self

    def __exit__(self, *_):
        self.postfix.stop()
        self.zi2.stop()


@promise("a post that Mailman changed arrives restored: what the author certified, and who changed what")
def restored(bed):
    signing(bed, bed.sender, "sender.example")
    with ListHost(bed) as host, Mailman(STATE / "mailman", host.ip) as mailman:
        forwarding(bed, host, "list.example")
        mailman.create(LIST, ALICE, ANN)
        mailman.start()
        bed.submit(ALICE, [LIST], compose(ALICE, LIST, word := token(), body="Hello, list.\r\n"))
        post = bed.receiver.postfix.arrival(ANN, word, seconds=60)
        text = post.raw.decode("latin-1")
        assert f"Subject: [Talk] {word}" in text and "To unsubscribe" in text, text
        results = " ".join(post.all("Authentication-Results"))
        assert "dmarc=fail" in results and "dkim2=pass" in results, results
        seen = post.verified()
        assert (seen["result"], seen["reason"]) == ("pass", "ok.restored.dkim2"), seen
        assert (seen["d"], seen["via"]) == ("sender.example", "list.example"), seen
        host.zi2.logged("direction=handoff", "dkim2=signed", "further")
        assert names_only(post, ANN), "no subscriber is named to another"
        path = bed.sender.dir / "post.eml"
        path.write_bytes(post.raw)
        undone = bed.sender.zi2.cert("dkim2", "undo", path, "--to", "1").stdout
        assert f"Subject: {word}" in undone and "To unsubscribe" not in undone, undone


def names_only(post, recipient):
    """Whether the newest signature names this recipient and nobody else."""
    newest = "".join(post.all("DKIM2-Signature")[0].split())
    paths = newest.partition(";rt=")[2].partition(";")[0].split(",")
    return [base64.b64decode(path).decode() for path in paths] == [f"<{recipient}>"]
