"""Small web servers of which a test says every answer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[BaseHTTPRequestHandler, int], None]
"""Answers one request; the number counts the requests of its server."""


@contextlib.contextmanager
def web() -> Iterator[Callable[[Reply], str]]:
    """Starts servers, each of which a given function answers for; gives their addresses."""
    servers: list[ThreadingHTTPServer] = []

    def start(reply: Reply) -> str:
        count = iter(range(10_000))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                try:
                    reply(self, next(count))
                except OSError:
                    self.close_connection = True  # the scanner went away

            do_POST = do_GET  # noqa: N815 - the name that the library calls

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                del format, args

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    try:
        yield start
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def send(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/xml"
) -> None:
    """One whole answer."""
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
