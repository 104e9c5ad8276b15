"""Which host keys are believed: exact names, ports, hashes, patterns and revocations."""

from __future__ import annotations

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import Failure, FailureKind
from scanner.transports.known_hosts import (
    Expected,
    Key,
    KnownHosts,
    expected,
    host_name,
    judge,
    parse_key,
)


def key(seed: int, kind: str = "ssh-ed25519") -> Key:
    name = kind.encode()
    return Key(kind, len(name).to_bytes(4, "big") + name + bytes([seed]) * 32)


A, B = key(1), key(2)


def hashed(name: str) -> str:
    salt = b"s" * 20
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("line", "host", "port", "known"),
    [
        (f"app.gov.vn {A.line}", "app.gov.vn", 22, True),
        (f"app.gov.vn {A.line}", "APP.gov.vn", 22, True),
        (f"App.gov.vn,10.0.0.1 {A.line} a comment", "10.0.0.1", 22, True),
        (f"app.gov.vn {A.line}", "app.gov.vn", 2222, False),
        (f"[app.gov.vn]:2222 {A.line}", "app.gov.vn", 2222, True),
        (f"[app.gov.vn]:2222 {A.line}", "app.gov.vn", 22, False),
        (f"{hashed('app.gov.vn')} {A.line}", "app.gov.vn", 22, True),
        (f"{hashed('[app.gov.vn]:2222')} {A.line}", "app.gov.vn", 2222, True),
        (f"{hashed('app.gov.vn')} {A.line}", "db.gov.vn", 22, False),
        (f"*.gov.vn {A.line}", "app.gov.vn", 22, True),
        (f"*.gov.vn {A.line}", "gov.vn", 22, False),
        (f"*.gov.vn,!db.gov.vn {A.line}", "db.gov.vn", 22, False),
        (f"[*.gov.vn]:2222 {A.line}", "app.gov.vn", 2222, True),
        (f"10.0.0.? {A.line}", "10.0.0.7", 22, True),
        (f"# app.gov.vn {A.line}", "app.gov.vn", 22, False),
        (f"@cert-authority * {A.line}", "app.gov.vn", 22, False),
        (f"app.gov.vn\t{A.line}", "app.gov.vn", 22, True),
        ("app.gov.vn ssh-ed25519 rubbish", "app.gov.vn", 22, False),
        ("app.gov.vn", "app.gov.vn", 22, False),
        (f"|1|x|y {A.line}", "app.gov.vn", 22, False),
    ],
)
def test_a_line_is_for_its_hosts_only(line: str, host: str, port: int, known: bool) -> None:
    assert KnownHosts([line]).lookup(host, port) == ((A,) if known else ())


def allowed(known: KnownHosts, pin: str = "") -> Expected:
    found = expected("app", 22, pin, known, "known_hosts")
    assert isinstance(found, Expected)
    return found


def test_only_the_right_key_passes() -> None:
    known = KnownHosts([f"app {A.line}"])
    assert judge(A, allowed(known), known) is None
    changed = judge(B, allowed(known), known)
    assert changed is not None
    assert changed.kind is FailureKind.HOST_KEY
    assert A.fingerprint in changed.detail
    assert B.fingerprint in changed.detail
    unknown = judge(A, allowed(KnownHosts()), KnownHosts())
    assert unknown is not None
    assert unknown.detail.endswith(f"add this line to known_hosts: app {A.line}")


def test_a_pin_is_above_the_file() -> None:
    known = KnownHosts([f"app {A.line}"])
    assert judge(B, allowed(known, B.line), known) is None
    assert judge(A, allowed(known, B.line), known) is not None
    assert isinstance(expected("app", 22, "ssh-ed25519 x", known, "known_hosts"), Failure)


def test_a_revoked_key_never_passes_even_when_it_is_pinned() -> None:
    known = KnownHosts([f"app {A.line}", f"@revoked * {A.line}"])
    for pin in ("", A.line):
        refused = judge(A, allowed(known, pin), known)
        assert refused is not None
        assert "@revoked" in refused.detail


def test_a_key_of_another_kind_than_the_known_one_is_a_change() -> None:
    known = KnownHosts([f"app {A.line}"])
    refused = judge(key(1, "ssh-rsa"), allowed(known), known)
    assert refused is not None
    assert "has changed" in refused.detail


@given(st.text(max_size=200))
def test_no_line_crashes(line: str) -> None:
    KnownHosts([line, f"app {line}", f"@revoked {line}"]).lookup("app", 22)
    parse_key(line)


def test_names_are_written_as_ssh_writes_them() -> None:
    assert host_name("Host", 22) == "host"
    assert host_name("fe80::1", 2222) == "[fe80::1]:2222"
