"""Two real Postfix servers with zi2-milter, and what is needed to judge their mail."""

from .bed import Bed
from .layout import ALICE, ANN, BOB, CAROL, DESK, EVIL, WEBAPP, BedError
from .mail import Mail, compose, send, token
from .process import wait_until
from .promises import promise

__all__ = [
    "ALICE", "ANN", "BOB", "CAROL", "DESK", "EVIL", "WEBAPP",
    "Bed", "BedError", "Mail", "compose", "promise", "send", "token", "wait_until",
]  # fmt: skip
