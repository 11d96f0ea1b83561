"""One Postfix instance, wholly below the bed's folder, with zi2-milter or without."""

import shutil
from pathlib import Path

from . import mail
from .layout import TEMPLATES, BedError, template
from .process import greets, name_of, run, stat_of, wait_until


class Postfix:
    """Postfix as the sender or the receiver. Delivers into one maildir per mailbox."""

    def __init__(self, folder, side, ip, mailboxes):
        self.dir, self.side, self.ip, self.mailboxes = folder, side, ip, mailboxes
        self.etc = folder / "postfix/etc"
        self.spool = folder / "postfix/spool"

    def start(self, milters=True):
        data, maildir = self.dir / "postfix/data", self.dir / "maildir"
        for path in (self.etc, self.spool, data, maildir):
            path.mkdir(parents=True)
        shutil.chown(data, "postfix")
        shutil.chown(maildir, "nobody", "nogroup")
        self.write_config()
        if not milters:
            self.edit("smtpd_milters=", "submission_milters=")
        self.command("start")
        wait_until(f"Postfix of the {self.side} greets", lambda: greets((self.ip, 25)))

    def write_config(self):
        values = {"DIR": self.dir, "SIDE": self.side, "IP": self.ip}
        for name, parts in {
            "main.cf": ("main.cf", f"{self.side}.cf"),
            "master.cf": ("master.cf", f"{self.side}-master.cf"),
            "leaving_checks": ("leaving_checks",),
            "forged_checks": ("forged_checks",),
        }.items():
            texts = [template(part, **values) for part in parts if (TEMPLATES / part).exists()]
            (self.etc / name).write_text("".join(texts))
        lines = [f"{box}  {path_of(box)}/\n" for box in self.mailboxes]
        (self.etc / "mailboxes").write_text("".join(lines))

    def stop(self):
        pidfile = self.spool / "pid/master.pid"
        if pidfile.exists() and stat_of(pidfile.read_text().strip()):
            # `postfix stop` itself checks that the pid file's lock is held by its master.
            run("/usr/sbin/postfix", "-c", self.etc, "stop", check=False)

    def edit(self, *settings):
        """Changes main.cf, for example edit("milter_default_action=tempfail")."""
        run("/usr/sbin/postconf", "-c", self.etc, "-e", *settings)

    def set(self, *settings):
        """The same while Postfix runs; returns when every new connection sees it."""
        self.edit(*settings)
        self.reload()

    def reload(self):
        """A process that waits for work may still serve one client by the old settings after a reload: waits for it to end."""
        old = {pid: stat_of(pid) for pid in self.children()}
        self.command("reload")
        wait_until(
            f"the {self.side}'s smtpd and cleanup processes from before a reload end",
            lambda: not any(born and (now := stat_of(pid)) and now[1] == born[1] for pid, born in old.items()),
        )

    def children(self):
        """The processes of Postfix that read settings once, at their start, and serve mail that comes in."""
        master = (self.spool / "pid/master.pid").read_text().strip()
        pids = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        return [pid for pid in pids if name_of(pid) in ("smtpd", "cleanup")]

    def command(self, verb):
        done = run("/usr/sbin/postfix", "-c", self.etc, verb, check=False)
        if done.returncode != 0:
            raise BedError(f"postfix {verb} failed on the {self.side}:\n{self.tail()}")

    def inbox(self, mailbox):
        """The messages delivered to a mailbox, oldest first."""
        new = self.dir / "maildir" / path_of(mailbox) / "new"
        files = (
            sorted(new.iterdir(), key=lambda path: path.stat().st_mtime_ns) if new.exists() else []
        )
        return [mail.Mail(path.read_bytes()) for path in files]

    def arrival(self, mailbox, token, seconds=30):
        """Waits for the message that holds the token, and returns it."""
        wanted = token.encode()

        def find():
            return next((m for m in self.inbox(mailbox) if wanted in m.raw), None)

        return wait_until(f"mail {token} reaches {mailbox}\n{self.tail(8)}", find, seconds)

    def queued(self):
        """How many messages wait in the queue, in whatever state."""
        folders = ("maildrop", "incoming", "active", "deferred", "hold")
        return sum(1 for f in folders for p in (self.spool / f).rglob("*") if p.is_file())

    def drain(self, seconds):
        """Tries all deferred mail now, and waits until nothing is left."""
        run("/usr/sbin/postqueue", "-c", self.etc, "-f")
        wait_until(f"queue of the {self.side} is empty", lambda: self.queued() == 0, seconds)

    def sendmail(self, *args, message):
        """Local submission, as a program on the sender's machine does it."""
        run("/usr/sbin/sendmail", "-C", self.etc, *args, input=message.decode("latin-1"))

    def tail(self, lines=15):
        log = self.dir / "mail.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


def path_of(mailbox):
    user, _, domain = mailbox.partition("@")
    return f"{domain}/{user}"
