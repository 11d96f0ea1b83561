"""zi2-milter and zi2-cert on one side of the bed, run as the service's user would run them."""

import os
import shutil
import signal
import urllib.request

from .layout import DNS, STATE, program, template
from .process import Daemon, accepts, run, wait_until


class Zi2:
    """One zi2-milter with its configuration, keys and store."""

    def __init__(self, folder, side, ip):
        self.dir, self.side, self.ip = folder, side, ip
        self.config = folder / "zi2.toml"
        self.daemon = Daemon(folder, "zi2-milter")
        self.bin = STATE / "bin"

    def prepare(self):
        for name in ("keys", "dkim", "store"):
            (self.dir / name).mkdir()
            shutil.chown(self.dir / name, "nobody")
            (self.dir / name).chmod(0o700)
        shutil.chown(self.dir, "nobody", "postfix")  # the sockets are made here
        values = {"DIR": self.dir, "IP": self.ip, "DNS": f"{DNS[0]}:{DNS[1]}"}
        self.config.write_text(template(f"{self.side}.toml", **values))
        (self.dir / "senders").write_text(template("senders"))

    def start(self):
        self.daemon.start([str(self.bin / "zi2-milter"), "--config", str(self.config)])
        self.daemon.ready("listens", lambda: all(map(accepts, self.sockets())))

    def stop(self, number=signal.SIGTERM):
        self.daemon.stop(number)

    def sockets(self):
        names = ("egress", "ingress") if self.side == "sender" else ("ingress",)
        return [self.dir / f"{name}.sock" for name in names]

    def append(self, text):
        """Adds sections to zi2.toml."""
        self.config.write_text(f"{self.config.read_text()}\n{text}")

    def restart(self):
        """For settings that a reload does not take over."""
        self.stop()
        self.start()

    def configure(self, old, new):
        """Replaces a text in zi2.toml. The daemon reads it at reload()."""
        text = self.config.read_text()
        assert old in text, f"{old!r} is not in {self.config}"
        self.config.write_text(text.replace(old, new))

    def reload(self, logged):
        """SIGHUP, then waits for a new log line that holds the text."""
        before = len(self.log())
        self.daemon.kill(signal.SIGHUP)
        wait_until(f"the log says {logged!r}", lambda: logged in self.log()[before:])

    def log(self):
        return self.daemon.log.read_text(errors="replace")

    def logged(self, *words, seconds=10):
        """Waits for a log line that holds all the words, and returns it."""

        def find():
            lines = self.log().splitlines()
            return next((line for line in lines if all(w in line for w in words)), None)

        return wait_until(f"a log line with {words}\n{self.daemon.tail(8)}", find, seconds)

    def metrics(self):
        with urllib.request.urlopen(f"http://{self.ip}:9629/metrics", timeout=5) as answer:
            return answer.read().decode()

    def cert(self, *args, check=True):
        """Runs zi2-cert with this side's configuration."""
        env = {**os.environ, "ZI2_CONFIG": str(self.config)}
        user = {"user": "nobody", "group": "postfix", "extra_groups": []}
        return run(self.bin / "zi2-cert", *args, check=check, env=env, cwd="/", **user)

    def keygen(self, domain):
        """Makes the sender's key, and returns what was printed."""
        return self.cert("keygen", "--domain", domain, "--dir", self.dir / "keys").stdout


def install():
    """Puts our programs where every user may run them, under their installed names."""
    (STATE / "bin").mkdir()
    for built, installed in (("zi2d", "zi2-milter"), ("zi2-cert", "zi2-cert")):
        try:
            os.link(program(built), STATE / "bin" / installed)
        except OSError:  # another file system
            shutil.copy(program(built), STATE / "bin" / installed)
