"""Processes we start, remembered in pid files, and waits that end."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from .layout import BedError


def wait_until(what, condition, seconds=20):
    """Polls until the condition gives something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        if answer := condition():
            return answer
        if time.monotonic() > end:
            raise BedError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)


def stat_of(pid):
    """(state, start time) of a process, or None. A zombie nobody reaps counts as gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else (fields[0], fields[19])


def name_of(pid):
    """The name of a process's program, or None."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None


class Daemon:
    """A program run in the background. Stops only the very process it started."""

    def __init__(self, folder, name):
        self.pidfile = folder / f"{name}.pid"
        self.log = folder / f"{name}.log"
        self.name = name

    def start(self, argv, **env):
        if self.pid():
            raise BedError(f"{self.name} runs already as {self.pid()}")
        with open(self.log, "ab") as log:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **env},
            )
        self.child = child
        # The start time tells our process from a later one with its number.
        stat = stat_of(child.pid)
        self.pidfile.write_text(f"{child.pid} {stat[1] if stat else 0}\n")

    def pid(self):
        """The process if it runs and is ours, else None."""
        if child := getattr(self, "child", None):
            child.poll()  # reap it if we are its parent
        try:
            pid, started = self.pidfile.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        stat = stat_of(pid)
        return int(pid) if stat and stat[1] == started else None

    def kill(self, number):
        if pid := self.pid():
            os.kill(pid, number)

    def stop(self, number=signal.SIGTERM, seconds=30):
        self.kill(number)
        wait_until(f"{self.name} ends", lambda: not self.pid(), seconds)
        self.pidfile.unlink(missing_ok=True)

    def ready(self, what, condition, seconds=20):
        """Waits for the condition, and says why at once if the process died."""

        def alive_and_ready():
            if not self.pid():
                raise BedError(f"{self.name} ended at once:\n{self.tail()}")
            return condition()

        wait_until(f"{self.name}: {what}", alive_and_ready, seconds)

    def tail(self, lines=20):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


class Helper:
    """A small Python server of this folder, run as a program of its own."""

    def __init__(self, folder, name):
        self.daemon = Daemon(folder, name)
        self.script = Path(__file__).parent / f"{name}.py"

    def start(self, *args, ready):
        self.daemon.start(["/usr/bin/python3", str(self.script), *map(str, args)])
        self.daemon.ready("listens", ready)

    def stop(self):
        self.daemon.stop()


def run(*argv, check=True, **options):
    """A command to its end; its output is text. Fails loudly unless told not to."""
    done = subprocess.run(
        [str(arg) for arg in argv], text=True, capture_output=True, timeout=120, **options
    )
    if check and done.returncode != 0:
        raise BedError(f"{argv[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done


def accepts(path):
    """Whether somebody listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as unix:
        try:
            unix.connect(str(path))
        except OSError:
            return False
    return True


def greets(address):
    """Whether an SMTP server says 220."""
    try:
        with socket.create_connection(address, 5) as smtp:
            return smtp.recv(4) == b"220 "
    except OSError:
        return False
