"""Daemons of the tests: each leads a group of processes of its own and listens on loopback."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time


def answers(port: int, seconds: float, process: subprocess.Popen[bytes] | None = None) -> bool:
    """Whether something listens on the port in time; a `process` that ends is not waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and (process is None or process.poll() is None):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.05)
    return False


def end(*processes: subprocess.Popen[bytes] | None) -> None:
    """End daemons with everything that they started."""
    for process in processes:
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
