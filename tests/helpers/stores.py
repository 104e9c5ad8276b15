"""Real S3 servers of this machine for tests, each with folders and ports of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

KEY = "AKIDEXAMPLE0000000"
SECRET = "only-for-this-test-0000000000000000000000"  # noqa: S105 - a made-up key
LISTER = "AKIDLISTER00000000"
LISTER_SECRET = "only-for-this-test-1111111111111111111111"  # noqa: S105 - a made-up key


def program(name: str) -> str:
    """The path of a server that the test tools bring along."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"the tests need {name}: run `tools/setup dev`"
    return found


def ports(count: int) -> list[int]:
    """Free ports of the loopback."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def client(endpoint: str, key: str = KEY, secret: str = SECRET, service: str = "s3") -> Any:
    """A client that plants what the tests look for."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


@contextlib.contextmanager
def running(command: list[str], folder: Path, address: str) -> Iterator[None]:
    """A server until the end of the block; killed, as a graceful stop takes it long."""
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(server, address, folder / "log")
        yield
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    for _ in range(600):
        assert server.poll() is None, log.read_text(errors="replace")[-2000:]
        with contextlib.suppress(urllib.error.HTTPError, OSError):
            urllib.request.urlopen(address, timeout=1).close()  # noqa: S310 - our own address
            return
        with contextlib.suppress(OSError), socket.create_connection(_at(address), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text(errors="replace")[-2000:])


def _at(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition("/")[2].partition(":")
    return host, int(port)


@contextlib.contextmanager
def seaweed(folder: Path) -> Iterator[str]:
    """A SeaweedFS with an administrator and an account that may list only; its endpoint."""
    rights = {
        "identities": [
            _identity("admin", KEY, SECRET, ["Admin", "Read", "Write", "List", "Tagging"]),
            _identity("lister", LISTER, LISTER_SECRET, ["List"]),
        ]
    }
    (folder / "s3.json").write_text(json.dumps(rights))
    (folder / "security.toml").write_text(f'[s3.sse]\nkey = "{"QUJD" * 10}QUI="\n')
    (folder / "data").mkdir()
    names = ("master", "volume", "filer", "s3")
    free = ports(8)
    chosen = [f"-{n}.port={p}" for n, p in zip(names, free[:4], strict=True)]
    chosen += [f"-{n}.port.grpc={p}" for n, p in zip(names, free[4:], strict=True)]
    command = [
        program("weed"),
        f"-config_dir={folder}",
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-dir=data",
        "-s3",
        "-s3.config=s3.json",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        "-volume.max=1000",
        "-master.volumeSizeLimitMB=16",
        *chosen,
    ]
    endpoint = f"http://127.0.0.1:{free[3]}"
    with running(command, folder, endpoint):
        _settle(client(endpoint))
        yield endpoint


def _identity(name: str, key: str, secret: str, actions: list[str]) -> dict[str, Any]:
    credentials = [{"accessKey": key, "secretKey": secret}]
    return {"name": name, "credentials": credentials, "actions": actions}


def _settle(admin: Any) -> None:
    """Its parts find each other a little after it answers."""
    last: Exception | None = None
    for _ in range(150):
        try:
            admin.create_bucket(Bucket="settled")
            admin.put_object(Bucket="settled", Key="a", Body=b"x")
        except Exception as e:  # noqa: BLE001 - tried again until it stands
            last = e
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the store does not take an object") from last


@contextlib.contextmanager
def rclone(folder: Path) -> Iterator[str]:
    """`rclone serve s3` over a folder, each of its folders a bucket; its endpoint."""
    (served := folder / "served").mkdir()
    (port,) = ports(1)
    command = [
        program("rclone"),
        "serve",
        "s3",
        f"--config={folder / 'none'}",
        f"--addr=127.0.0.1:{port}",
        f"--auth-key={KEY},{SECRET}",
        str(served),
    ]
    with running(command, folder, f"http://127.0.0.1:{port}"):
        yield f"http://127.0.0.1:{port}"
