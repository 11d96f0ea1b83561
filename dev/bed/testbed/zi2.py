"""zi2-milter and zi2-cert on one side of the bed."""

import os
import shutil
import signal
import urllib.request

from .layout import DNS, program, template
from .process import Daemon, accepts, run, wait_until


class Zi2:
    """One zi2-milter with its configuration, keys and store."""

    def __init__(self, folder, side, ip):
        self.dir, self.side, self.ip = folder, side, ip
        self.config = folder / "zi2.toml"
        self.daemon = Daemon(folder, "zi2-milter")

    def prepare(self):
        for name in ("keys", "store"):
            (self.dir / name).mkdir()
            shutil.chown(self.dir / name, "nobody")
            (self.dir / name).chmod(0o700)
        shutil.chown(self.dir, "nobody", "postfix")  # the sockets are made here
        values = {"DIR": self.dir, "IP": self.ip, "DNS": f"{DNS[0]}:{DNS[1]}"}
        self.config.write_text(template(f"{self.side}.toml", **values))
        (self.dir / "senders").write_text(template("senders"))

    def start(self):
        self.daemon.start([program("zi2d"), "milter", "--config", str(self.config)])
        self.daemon.ready("listens", lambda: all(map(accepts, self.sockets())))

    def stop(self, number=signal.SIGTERM):
        self.daemon.stop(number)

    def sockets(self):
        names = ("egress", "ingress") if self.side == "sender" else ("ingress",)
        return [self.dir / f"{name}.sock" for name in names]

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
        """Runs zi2-cert on this side's configuration, as the milter's user where that matters."""
        env = {**os.environ, "ZI2_CONFIG": str(self.config)}
        return run(program("zi2-cert"), *args, check=check, env=env)

    def keygen(self, domain):
        """Makes the key, gives it to the milter's user, and returns what was printed."""
        done = self.cert("keygen", "--domain", domain, "--dir", self.dir / "keys")
        for path in (self.dir / "keys").iterdir():
            shutil.chown(path, "nobody")
        return done.stdout
