"""OpenDKIM and rspamd, each with one job: to sign as sender.example, or to verify."""

import shutil

from .layout import DNS, STATE, BedError, template
from .process import Daemon, accepts


class Peer:
    """A milter of somebody else, in a folder and under an account of its own."""

    program, account = "", ""

    def __init__(self, name):
        self.dir = STATE / "peers" / name
        self.socket = self.dir / "sock"
        self.daemon = Daemon(self.dir, self.program)

    def __enter__(self):
        path = shutil.which(self.program, path="/usr/sbin:/usr/bin")
        if not path:
            raise BedError(f"{self.program} is not installed; dev/install says how")
        self.dir.mkdir(parents=True)
        config = self.dir / "config"
        config.write_text(self.config())
        for file in (self.dir, *self.dir.iterdir()):
            shutil.chown(file, self.account, self.account)
            file.chmod(0o755 if file == self.dir else 0o600)
        try:
            self.daemon.start([path, *self.arguments(config)])
            self.daemon.ready("listens", lambda: accepts(self.socket), seconds=60)
        except BaseException:
            self.daemon.stop()
            raise
        return self

    def __exit__(self, *_):
        self.daemon.stop()
        shutil.rmtree(self.dir)

    def milter(self):
        """As Postfix names it."""
        return f"unix:{self.socket}"


class OpenDkim(Peer):
    program, account = "opendkim", "opendkim"

    def arguments(self, config):
        return ["-f", "-x", str(config)]

    def config(self):
        # The library takes a port behind an @.
        values = {"SOCKET": self.socket, "DNS": f"{DNS[0]}@{DNS[1]}", "JOB": self.job()}
        return template("opendkim.conf", **values)

    def job(self):
        raise NotImplementedError


class OpenDkimVerifier(OpenDkim):
    """Writes Authentication-Results of opendkim.example."""

    def job(self):
        return "Mode v\nAlwaysAddARHeader yes\nAuthservID opendkim.example\nInternalHosts 203.0.113.1\n"


class OpenDkimSigner(OpenDkim):
    """Signs with the key of a file SELECTOR.pem; RSA or ed25519, as the selector ends."""

    def __init__(self, name, key):
        super().__init__(name)
        self.key = key

    def job(self):
        selector, copy = self.key.stem, self.dir / self.key.name
        shutil.copy(self.key, copy)
        algorithm = "ed25519-sha256" if selector.endswith("ed25519") else "rsa-sha256"
        return (
            f"Mode s\nDomain sender.example\nSelector {selector}\nKeyFile {copy}\n"
            f"SignatureAlgorithm {algorithm}\nInternalHosts 0.0.0.0/0\nOversignHeaders From\n"
        )


class Rspamd(Peer):
    """DKIM alone of all that rspamd does: signs with a key if it is given one, else verifies."""

    program, account = "rspamd", "_rspamd"

    def __init__(self, name, key=None):
        super().__init__(name)
        self.key = key

    def arguments(self, config):
        return ["-f", "-c", str(config), "-u", self.account, "-g", self.account]

    def config(self):
        # Its own list of top-level domains takes half a minute to compile.
        (self.dir / "tlds").write_text("example\n")
        job = template("rspamd-verify.conf")
        if self.key:
            copy = self.dir / self.key.name
            shutil.copy(self.key, copy)
            job = template("rspamd-sign.conf", KEY=copy, SELECTOR=self.key.stem)
        return template("rspamd.conf", DIR=self.dir, DNS=f"{DNS[0]}:{DNS[1]}:1", JOB=job)
