"""The private DNS: nsd with a root of its own, so that no question leaves the machine."""

import shutil
import signal
import socket
import struct

from .layout import DNS, STATE, TEMPLATES, template
from .process import Daemon, run, wait_until

TXT = 16


class Nameserver:
    """nsd and its zones. Records are added while it runs."""

    def __init__(self):
        self.dir = STATE / "dns"
        self.daemon = Daemon(self.dir, "nsd")

    def start(self):
        zones = self.dir / "zones"
        zones.mkdir(parents=True)
        config = template("nsd.conf", DIR=self.dir, DNS_IP=DNS[0], DNS_PORT=DNS[1])
        for path in sorted((TEMPLATES / "zones").iterdir()):
            text = template(f"zones/{path.name}", DNS_IP=DNS[0])
            (zones / path.name).write_text(text)
            origin = "." if path.stem == "root" else path.stem
            config += f'zone:\n  name: "{origin}"\n  zonefile: "{path.name}"\n'
        (self.dir / "nsd.conf").write_text(config)
        shutil.chown(self.dir, "nsd")
        run("/usr/sbin/nsd-checkconf", self.dir / "nsd.conf")
        self.daemon.start(["/usr/sbin/nsd", "-d", "-P", "", "-c", str(self.dir / "nsd.conf")])
        self.daemon.ready("answers", lambda: answers("receiver.example", 6) == 1)

    def stop(self):
        self.daemon.stop()

    def publish(self, zone, records):
        """Adds lines to a zone, and waits until the last of their names is served."""
        path = self.dir / "zones" / f"{zone}.zone"
        path.write_text(path.read_text() + records.strip() + "\n")
        lines = [line.split() for line in records.splitlines() if line.strip()]
        names = [fields[0] for fields in lines if fields and not fields[0].startswith(";")]
        self.daemon.kill(signal.SIGHUP)
        for name in names:
            full = name.rstrip(".") if name.endswith(".") else f"{name}.{zone}"
            wait_until(f"{full} is served", lambda name=full: answers(name, TXT) >= 1)


def answers(name, kind):
    """How many records the answer holds; 0 also when nobody answers within 0.2 s."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    query = struct.pack(">6H", 0x5A32, 0, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(0.2)
        udp.connect(DNS)
        try:
            udp.send(query)
            return struct.unpack(">6H", udp.recv(4096)[:12])[3]
        except OSError:
            return 0
