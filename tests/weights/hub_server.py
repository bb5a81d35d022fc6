"""A hub on this machine: serves files with the headers that the hub's own clients ask for."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c0ffee" + "0" * 34
REPOSITORY = "someone/small-network"


class HubServer(ThreadingHTTPServer):
    """Files of one repository at revision `main`, and what was asked for."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes], gated: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.gated = files, gated
        self.requests: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: HubServer

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""

    def _answer(self, with_body: bool) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        start = f"/{REPOSITORY}/resolve/"
        if not self.path.startswith(start):
            return self._refuse(404, "RepoNotFound")
        revision, _, name = self.path.removeprefix(start).partition("/")
        if self.server.gated:
            return self._refuse(403, "GatedRepo")
        if revision not in ("main", COMMIT):
            return self._refuse(404, "RevisionNotFound")
        if name not in self.server.files:
            return self._refuse(404, "EntryNotFound")
        content = self.server.files[name]
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", code)
        if code == "EntryNotFound":
            self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def serve(files: dict[str, bytes], gated: bool = False) -> Iterator[HubServer]:
    """Run the server while the block runs."""
    server = HubServer(files, gated)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
