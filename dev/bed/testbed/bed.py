"""The whole bed: DNS, sender, receiver, sink; up and down as one."""

import fcntl
import shutil
import signal
import sys

from . import dns, layout, mail, postfix, process, zi2
from .layout import ALICE, ANN, BOB, CAROL, SINK, STATE, BedError


class Side:
    """A mail server: its Postfix and its zi2-milter in one folder."""

    def __init__(self, name, ip, mailboxes):
        self.dir = STATE / name
        self.ip, self.mailboxes = ip, mailboxes
        self.postfix = postfix.Postfix(self.dir, name, ip, mailboxes)
        self.zi2 = zi2.Zi2(self.dir, name, ip)


class Bed:
    """Two mail servers, their DNS and a sink.

    Bed(milter=False) leaves zi2-milter out, to try the bed by itself; Bed(key=False) makes no
    key and publishes no record.
    """

    def __init__(self, milter=True, key=True):
        self.milter, self.key = milter, milter and key
        self.dns = dns.Nameserver()
        self.sender = Side("sender", "127.0.0.2", [ALICE, CAROL, BOB])
        self.receiver = Side("receiver", "127.0.0.3", [ANN])
        self.sides = (self.sender, self.receiver)
        self.auth = process.Helper(self.sender.dir, "auth")
        self.sink = process.Helper(STATE / "sink", "sink")

    def up(self):
        if lacks := layout.missing():
            raise BedError(f"the bed needs {', '.join(lacks)}; dev/install says how")
        self.down()
        try:
            self.start()
        except BaseException:
            self.down()
            raise

    def start(self):
        fresh_folder(STATE)
        self.dns.start()
        for side in self.sides:
            side.dir.mkdir()
            side.zi2.prepare()
        self.start_helpers()
        if self.milter:
            zi2.install()
        if self.key:
            self.sender.zi2.keygen("sender.example")
            self.publish_key("sender.example", "tenant-b.example")
        for side in self.sides:
            if self.milter:
                side.zi2.start()
            side.postfix.start(milters=self.milter)

    def start_helpers(self):
        socket = self.sender.dir / "auth.sock"
        self.auth.start(socket, *self.sender.mailboxes, ready=lambda: process.accepts(socket))
        (STATE / "sink").mkdir()
        self.sink.start(*SINK, STATE / "sink", ready=lambda: process.greets(SINK))

    def publish_key(self, *domains):
        """Puts the sender's key into DNS, as `zi2-cert dns show` says it."""
        for domain in domains:
            shown = self.sender.zi2.cert("dns", "show", "--domain", domain, "--format", "zone")
            self.dns.publish(domain, shown.stdout)

    def publish_dkim(self, domain):
        """The same for the keys of DKIM."""
        shown = self.sender.zi2.cert("dns", "show", "--domain", domain, "--format", "zone")
        lines = [line for line in shown.stdout.splitlines() if "._domainkey." in line]
        self.dns.publish(domain, "\n".join(lines))

    def down(self):
        """Stops what runs; nothing running is fine too."""
        for side in self.sides:
            side.postfix.stop()
        for side in self.sides:
            side.zi2.stop()
        for part in (self.auth, self.sink, self.dns):
            part.stop()

    def __enter__(self):
        # Two runs at once would share ports and folders: the second waits for the first.
        self.lock = open(f"{STATE}.lock", "w")
        process.wait_until("the other run of the bed ends", lambda: locked(self.lock), seconds=1800)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # through __exit__
        self.up()
        return self

    def __exit__(self, *_):
        self.down()
        self.lock.close()

    # What people do with mail.

    def submit(self, login, recipients, message, *, sender=None, **options):
        """A customer of the sender submits mail on port 587, after logging in."""
        address = self.sender.ip, 587
        return mail.send(*address, sender or login, recipients, message, login=login, **options)

    def deliver(self, client, sender, recipients, message, *, to=None, **options):
        """A stranger's server speaks to port 25 of the receiver, or of another side."""
        ip = (to or self.receiver).ip
        return mail.send(ip, 25, sender, recipients, message, client=client, **options)

    def sunk(self, word, seconds=30):
        """Waits for the sink to hold a message with the word, and returns its octets."""
        return self.sunk_to(word, "", seconds)[0]

    def sunk_to(self, word, recipient, seconds=30):
        """The same for a copy of this recipient, with its envelope: the paths of MAIL and RCPT."""

        def find():
            for path in (STATE / "sink").glob("*.wire"):
                envelope = path.with_suffix(".envelope").read_text().split("\n")
                wire = path.read_bytes()
                if word.encode() in wire and any(recipient in path for path in envelope[1:]):
                    return wire, envelope
            return None

        return process.wait_until(f"mail {word} reaches the sink", find, seconds)


def locked(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def fresh_folder(path):
    """An empty folder where an older bed was or nothing; never removes anything else."""
    marker = path / "this-is-a-zi2-test-bed"
    if path.exists() and not marker.exists():
        raise BedError(f"{path} exists and is not an old test bed; choose another ZI2_BED")
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o755, parents=True)
    marker.touch()
