"""GNU Mailman 3 as it comes from PyPI, in a folder and under an account of its own."""

import os
import shutil

from .layout import template
from .process import Daemon, greets, run

VERSION = "3.3.10"
AS_NOBODY = ("/usr/bin/setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


class Mailman:
    """A server of mailing lists: takes posts by LMTP, and sends them out by SMTP."""

    def __init__(self, folder, ip):
        self.dir, self.ip = folder, ip
        self.programs = folder / "venv/bin"
        self.config = folder / "mailman.cfg"
        self.daemon = Daemon(folder, "mailman")

    def __enter__(self):
        self.dir.mkdir()
        run("/usr/bin/python3", "-m", "venv", self.dir / "venv")
        run(self.programs / "pip", "install", "--quiet", f"mailman=={VERSION}")
        self.config.write_text(template("mailman.cfg", DIR=self.dir, IP=self.ip))
        shutil.chown(self.dir, "nobody")
        return self

    def start(self):
        self.daemon.start([*AS_NOBODY, *self.command("master")], HOME=str(self.dir))
        self.daemon.ready("takes posts", lambda: greets((self.ip, 8024)), seconds=60)

    def __exit__(self, *_):
        self.daemon.stop()

    def create(self, address, *members):
        """Makes a list of these members."""
        owner = f"owner@{address.partition('@')[2]}"
        self.run("create", "--domain", "--owner", owner, address)
        file = self.dir / "members"
        file.write_text("".join(f"{member}\n" for member in members))
        self.run("addmembers", "--no-welcome-msg", file, address)

    def run(self, *args):
        run(*AS_NOBODY, *self.command("mailman"), *args, cwd=self.dir, env={**os.environ, "HOME": str(self.dir)})

    def command(self, name):
        return [str(self.programs / name), "-C", str(self.config)]
