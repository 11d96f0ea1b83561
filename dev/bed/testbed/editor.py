"""A content filter as sites have them: it changes Subject and body, and sends the message back from an address of its own.

Run as a program: editor.py HOST PORT NEXT_HOST NEXT_PORT SENDER
"""

import smtplib
import sys

from sink import Server, Session

HOST, PORT, NEXT_HOST, NEXT_PORT, SENDER = sys.argv[1:6]


class Editor(Session):
    def take(self, envelope, message):
        message = message.replace(b"Subject: ", b"Subject: [edited] ", 1) + b"-- \r\nforwarded\r\n"
        with smtplib.SMTP(NEXT_HOST, int(NEXT_PORT), "editor.example", 60, (HOST, 0)) as smtp:
            smtp.sendmail(SENDER, [path.strip("<>") for path in envelope[1:]], message)


if __name__ == "__main__":
    with Server((HOST, int(PORT)), Editor) as server:
        server.serve_forever()
