"""A subscriber's server in a process of its own; the path says how it behaves.

Each request is a line of JSON in the file that is given, written before it is answered.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOCK = threading.Lock()
HEARD: dict[str, int] = {}


class Receiver(BaseHTTPRequestHandler):
    """`/ok`, `/fail`, `/gone`, `/redirect`, `/hang`, and `/hang-once`: later ones are taken."""

    log: Path

    def do_POST(self) -> None:
        """Write the request down, then behave."""
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        with LOCK:
            HEARD[self.path] = HEARD.get(self.path, 0) + 1
            first = HEARD[self.path] == 1
            with self.log.open("a") as log:
                headers = {name.lower(): value for name, value in self.headers.items()}
                log.write(json.dumps({"path": self.path, "headers": headers, "body": body}) + "\n")
        if self.path == "/hang" or (self.path == "/hang-once" and first):
            threading.Event().wait(60)
        status = {"/fail": 500, "/gone": 410, "/redirect": 307, "/moved": 302}.get(self.path, 204)
        self.send_response(status)
        if status in {302, 307}:
            self.send_header("Location", "/ok")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    Receiver.log = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}) + "\n")
    sys.stdout.flush()
    server.serve_forever()
