"""An SMTP server that keeps every message exactly as it came over the wire.

Run as a program: sink.py HOST PORT FOLDER   Writes N.wire (dot-stuffing removed, nothing else), and N.envelope
with the paths of MAIL and RCPT, one a line, before it.
"""

import itertools
import os
import socketserver
import sys

FOLDER = sys.argv[3] if len(sys.argv) > 3 else "."
NUMBERS = itertools.count(1)


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 sink ESMTP")
        envelope = []
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"EHLO":
                self.say("250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 PIPELINING")
            elif verb in (b"MAIL", b"RCPT"):
                envelope = [path_of(line)] if verb == b"MAIL" else [*envelope, path_of(line)]
                self.say("250 2.0.0 ok")
            elif verb == b"DATA":
                self.say("354 go on")
                self.take(envelope, self.message())
                self.say("250 2.0.0 stored")
            elif verb == b"QUIT":
                return self.say("221 2.0.0 bye")
            else:
                self.say("250 2.0.0 ok")

    def take(self, envelope, message):
        store(envelope, message)

    def say(self, reply):
        self.wfile.write(reply.encode() + b"\r\n")

    def message(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)


def path_of(command):
    """The path of MAIL FROM:<a@b> SIZE=1 or RCPT TO:<a@b>."""
    return command.decode("latin-1").partition(":")[2].strip().partition(">")[0] + ">"


def store(envelope, message):
    number = os.path.join(FOLDER, str(next(NUMBERS)))
    with open(f"{number}.envelope", "w") as out:
        out.write("\n".join(envelope))
    name = f"{number}.wire"
    with open(name + ".part", "wb") as out:
        out.write(message)
    os.rename(name + ".part", name)  # whoever sees the name sees the whole message


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 100


if __name__ == "__main__":
    with Server((sys.argv[1], int(sys.argv[2])), Session) as server:
        server.serve_forever()
