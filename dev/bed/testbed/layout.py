"""Where things are: folders, addresses, names. Nothing here starts or writes anything."""

import os
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent  # dev/bed
TEMPLATES = HERE / "etc"
STATE = Path(os.environ.get("ZI2_BED", "/tmp/zi2-bed"))

DNS = ("127.0.0.4", 5300)  # not 53: nobody but ours asks here, and 53 may be taken
SINK = ("127.0.0.5", 25)
EDITOR = ("127.0.0.6", 10025)

# Clients are told apart by address.
DESK = "127.0.0.10"  # a customer's mail program
WEBAPP = "127.0.0.20"  # in the sender's mynetworks, sends without a login
EVIL = "127.0.0.66"  # a stranger

ALICE = "alice@sender.example"
CAROL = "carol@sender.example"
BOB = "bob@tenant-b.example"
ANN = "ann@receiver.example"


class BedError(Exception):
    """The bed itself failed, as opposed to a promise that does not hold."""


def password(login):
    """The fake auth server knows every mailbox of the sender by this password."""
    return f"pw-{login}"


def target_dir():
    """The folder cargo builds into, outside the clone."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    default = os.environ.get("ZI2_TARGET") or Path(cache) / "zi2" / "target"
    return Path(os.environ.get("CARGO_TARGET_DIR") or default)


def program(name):
    """The path of one of our binaries: ZI2_BIN's, else the newest that cargo built."""
    if chosen := os.environ.get("ZI2_BIN"):
        places = [Path(chosen) / name]
    else:
        places = [target_dir() / profile / name for profile in ("release", "debug")]
    built = [place for place in places if place.exists()]
    if not built:
        raise BedError(f"{name} is not built; run: cargo build -p zi2d -p zi2-cert")
    return str(max(built, key=lambda place: place.stat().st_mtime))


def template(name, **values):
    """A file of dev/bed/etc with its @NAMES@ filled in."""
    text = (TEMPLATES / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    return text


def missing():
    """What this machine lacks to run the bed, in words; empty when it can."""
    lacks = [] if os.geteuid() == 0 else ["root (ports below 1024, Postfix)"]
    return lacks + [name for name in ("postfix", "nsd") if not shutil.which(name, path="/usr/sbin")]
