"""Where a folder of dumps lies, whether its files are encrypted, and what was verified of them."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.backup.copies import separate
from checks.backup.places import places_of
from checks.backup.restore import integrity_verified
from checks.backup.safety import encrypted, immutable, protected_from_host
from checks.backup.series import BackupSeries
from checks.backup.sources.directory_place import Mount, mount_of, repository
from checks.backup.sources.registry import SERIES
from checks.evidence import Answers, Evidence, FailureKind
from checks.model import Status, Verdict
from checks.probes.host import CLOCK
from inventory.model import BackupSet, Inventory, Server
from tests.helpers.backup_judging import a_set, a_system, about, context, judge
from tests.helpers.backup_series import NOW, at

PG = b"--\n-- PostgreSQL database dump\n--\n" + b"COPY;\n" * 5000
PG_END = b"-- PostgreSQL database dump complete\n"
HEAD = "Filesystem Type 1024-blocks Used Available Capacity Mounted on\n"
PLAIN = HEAD + "/dev/vda1 ext4 100 50 50 50% /\n"


def host(folder: Path, df: str) -> dict[str, str]:
    """The environment of a host whose df answers this."""
    tools = folder / "tools"
    tools.mkdir()
    (folder / "df.txt").write_text(df, encoding="utf-8")
    body = f"#!/bin/sh\nexec cat {folder}/df.txt\n" if df else "#!/bin/sh\nexit 1\n"
    (tools / "df").write_text(body, encoding="utf-8")
    (tools / "df").chmod(0o755)
    return {"PATH": f"{tools}:/usr/bin:/bin", "HOME": "/nonexistent"}


def seen(folder: Path, environ: dict[str, str], backup: BackupSet) -> BackupSeries:
    """A folder as its source reads it; the scripts are run for real."""
    subject = about(a_system(backup, level=3), backup)
    found = []
    for request in SERIES.requests(subject):
        script = request.script.replace("/sys/", f"{folder}/sys/")
        out = b"epoch=1795338000.0\noffset=+0000\ntz=UTC\n"
        if request.probe != CLOCK.id:
            done = subprocess.run(
                ["/bin/sh", "-s"],
                input=script.encode(),
                capture_output=True,
                env=environ,
                check=True,
            )
            out = done.stdout
        target = request.target
        found.append(
            Evidence(probe=request.probe, target=target, key=request.key, taken=NOW, stdout=out)
        )
    return SERIES.parse(context(encrypted, subject), Answers(found))


def put(folder: Path, name: str, body: bytes, when: str = "2026-11-22 02:00") -> Path:
    path = folder / "data" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    os.utime(path, (at(when).timestamp(),) * 2)
    return path


def of(folder: Path, df: str = PLAIN, **more: object) -> BackupSeries:
    (folder / "data").mkdir(exist_ok=True)
    backup = a_set(path=f"{folder}/data/", **more)
    return seen(folder, host(folder, df), backup)


def verdict(check: object, found: BackupSeries, level: int = 3) -> Verdict:
    backup = a_set()
    return judge(check, found, about(a_system(backup, level=level), backup))  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------- mounts


@pytest.mark.parametrize(
    ("line", "expected", "at_host"),
    [
        ("/dev/vda1 ext4 100 50 50 50% /", Mount("/dev/vda1", "ext4"), ""),
        ("nas:/vol1/b  nfs4 1 1 1 50% /mnt/b", Mount("nas:/vol1/b", "nfs4"), "nas"),
        ("//10.0.0.5/my share cifs 1 1 1 50% /m", Mount("//10.0.0.5/my share", "cifs"), "10.0.0.5"),
        ("[fd00::5]:/b nfs - - - - /m x", Mount("[fd00::5]:/b", "nfs"), "fd00::5"),
        ("u@h:/b fuse.sshfs 1 1 -1 5% /m", Mount("u@h:/b", "fuse.sshfs"), "h"),
        ("m1:6789,m2:6789:/ ceph 1 1 1 5% /m", Mount("m1:6789,m2:6789:/", "ceph"), "m1"),
        ("tank/b zfs 1 1 1 5% /m", Mount("tank/b", "zfs"), ""),
        ("nas:/b 1 1 1 5% /m", Mount("nas:/b", ""), "nas"),
        ("nothing", None, ""),
        ("", None, ""),
    ],
)
def test_what_df_says(line: str, expected: Mount | None, at_host: str) -> None:
    assert mount_of(HEAD + line) == expected
    assert expected is None or expected.host == at_host


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=" \t-/a1:%@[]\n", max_size=400))
def test_any_answer_of_df_is_a_mount_or_none(text: str) -> None:
    found = mount_of(text)
    assert repository(about(a_system(a_set()), a_set()), found, "/b", "").platform == "directory"


NAS = Server(id="nas-1", unit="u", address="10.0.0.5")
SHARED = Server(id="store", unit="u", address="10.0.0.9")
PROTECTED = Server(id="h", unit="u", address="10.0.0.1")


@pytest.mark.parametrize(
    ("mount", "server", "remote", "lies", "apart"),
    [
        # On the disks of the server that is protected, whichever of its disks it is.
        (Mount("/dev/sdb1", "xfs"), "h", False, "h", False),
        (Mount("tank/b", "zfs"), "h", False, "h", False),
        (Mount("overlay", "overlay"), "h", False, "h", False),
        (Mount("nas:/b", "nfs4"), "h", True, "", True),
        (Mount("10.0.0.5:/b", "nfs4"), "h", True, "nas-1", True),
        (Mount("//10.0.0.5/b", "cifs"), "h", True, "nas-1", True),
        (Mount("glue:/b", "fuse.glusterfs"), "h", True, "", True),
        # A mount of itself, and on another server a mount of the very one that is protected.
        (Mount("localhost:/b", "nfs"), "h", False, "h", False),
        (Mount("10.0.0.1:/b", "nfs"), "h", False, "h", False),
        (Mount("10.0.0.1:/b", "nfs"), "store", True, "h", False),
        (Mount("/dev/sdb1", "xfs"), "store", False, "store", True),
        # Nobody sees what a remote of rclone or a hypervisor's folder stands for.
        (Mount("gdrive:", "fuse.rclone"), "h", None, "", None),
        (Mount("share", "virtiofs"), "h", None, "", None),
        (None, "h", None, "", None),
        (None, "store", None, "store", True),
    ],
)
def test_where_the_folder_lies(
    mount: Mount | None, server: str, remote: bool | None, lies: str, apart: bool | None
) -> None:
    backup = a_set(server=server)
    subject = about(a_system(backup), backup)
    servers = {s.id: s for s in (NAS, SHARED, PROTECTED)}
    inventory = Inventory(servers=servers)
    subject = msgspec.structs.replace(subject, inventory=inventory)
    found = repository(subject, mount, "/b", "")
    assert (found.remote, found.server) == (remote, lies)
    made = BackupSeries(asset="db", source="directory", repositories=(found,))
    (place,) = places_of(context(separate, subject), made)
    assert place.own_host is (None if apart is None else not apart)
    assert (place.unseen is not None) == (apart is None)


def test_two_shares_of_one_store_are_one_device() -> None:
    subject = about(a_system(a_set(server="h")), a_set(server="h"))
    one, two = (repository(subject, Mount(f"nas:/{n}", "nfs"), "/b", "") for n in "ab")
    assert one.location == two.location == "nas"


def test_the_host_is_asked_and_the_answer_arrives(tmp_path: Path) -> None:
    put(tmp_path, "a.sql.gz", gzip.compress(PG + PG_END))
    (place,) = of(tmp_path, HEAD + "nas:/vol nfs4 1 1 1 5% /x\n", server="h").repositories
    assert (place.location, place.remote) == ("nas", True)


def test_a_host_without_df_leaves_the_place_open(tmp_path: Path) -> None:
    (place,) = of(tmp_path, "", server="h").repositories
    assert place.remote is None
    assert place.unseen["remote"].kind is FailureKind.MISSING_TOOL


def test_own_disks_are_in_reach_of_the_server_and_others_are_not_known(tmp_path: Path) -> None:
    own = of(tmp_path, server="h")
    assert verdict(protected_from_host, own).status is Status.FAIL
    assert verdict(immutable, own).status is Status.FAIL
    shutil.rmtree(tmp_path / "tools")
    away = of(tmp_path, server="store")
    for check in (protected_from_host, immutable):
        found = verdict(check, away)
        assert found.status is Status.UNKNOWN
        assert found.failure is not None
        assert str(tmp_path) in found.failure.detail


# ------------------------------------------------------------------------------------ encryption


def device(folder: Path, name: str, mapped: str, uuid: str, slaves: tuple[str, ...] = ()) -> None:
    block = folder / "sys/class/block" / name
    (block / "dm").mkdir(parents=True)
    (block / "dm/name").write_text(mapped + "\n", encoding="utf-8")
    (block / "dm/uuid").write_text(uuid + "\n", encoding="utf-8")
    for slave in slaves:
        (block / "slaves" / slave / "dm").mkdir(parents=True)
        told = (folder / "sys/class/block" / slave / "dm/uuid").read_text(encoding="utf-8")
        (block / "slaves" / slave / "dm/uuid").write_text(told, encoding="utf-8")


@pytest.mark.parametrize(
    ("uuids", "expected"),
    [
        (("CRYPT-LUKS2-abc-data",), True),
        (("LVM-abc", "CRYPT-LUKS1-abc"), True),
        (("LVM-abc", "CRYPT-LUKS1-abc", "CRYPT-PLAIN-x"), True),
        (("LVM-abc", "CRYPT-LUKS1-abc", "LVM-def"), None),
        (("LVM-abc",), None),
        (("CRYPT-VERITY-abc",), None),
    ],
)
def test_an_encrypted_device_below_is_seen(
    tmp_path: Path, uuids: tuple[str, ...], expected: bool | None
) -> None:
    slaves = tuple(f"dm-{n}" for n in range(1, len(uuids)))
    for name, uuid in zip(slaves, uuids[1:], strict=True):
        device(tmp_path, name, f"below-{name}", uuid)
    device(tmp_path, "dm-0", "vg-data", uuids[0], slaves)
    device(tmp_path, "dm-9", "other", "CRYPT-LUKS2-other")
    put(tmp_path, "a.sql.gz", gzip.compress(PG + PG_END))
    found = of(tmp_path, HEAD + "/dev/mapper/vg-data xfs 1 1 1 5% /x\n")
    assert found.repositories[0].encrypted is expected


_RSA = b"""\
%no-protection
Key-Type: RSA
Key-Length: 2048
Subkey-Type: RSA
Subkey-Length: 2048
Name-Email: r@example.invalid
Expire-Date: 0
"""


@pytest.fixture(autouse=True)
def no_agent_stays(tmp_path: Path) -> Iterator[None]:
    """Each home of gpg has an agent, which ends with its test."""
    yield
    if (tmp_path / "gpg").is_dir():
        subprocess.run(["gpgconf", "--homedir", str(tmp_path / "gpg"), "--kill", "all"], check=True)


def gpg(folder: Path, *words: str, body: bytes = PG) -> bytes:
    home = folder / "gpg"
    home.mkdir(mode=0o700, exist_ok=True)
    common = ("gpg", "--homedir", str(home), "--batch", "--yes", "--quiet", "--trust-model=always")
    return subprocess.run(
        [*common, "--pinentry-mode=loopback", "--passphrase=", *words],
        input=body,
        capture_output=True,
        check=True,
    ).stdout


def openssl(*words: str) -> bytes:
    return subprocess.run(
        ["openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-k", "x", *words],
        input=PG,
        capture_output=True,
        check=True,
    ).stdout


def test_files_that_real_tools_encrypted(tmp_path: Path) -> None:
    gpg(tmp_path, "--quick-gen-key", "f@example.invalid", "future-default", "default", "never")
    gpg(tmp_path, "--gen-key", body=_RSA)
    to = ("--encrypt", "-r")
    made = {
        "rsa": gpg(tmp_path, *to, "r@example.invalid"),
        "rsa.txt": gpg(tmp_path, "--armor", *to, "r@example.invalid"),
        "curve": gpg(tmp_path, *to, "f@example.invalid"),
        "curve.txt": gpg(tmp_path, "--armor", *to, "f@example.invalid"),
        "word.gpg": gpg(tmp_path, "--passphrase=x", "--symmetric"),
        "word.txt": gpg(tmp_path, "--passphrase=x", "--armor", "--symmetric"),
        "salted": openssl(),
        "salted64": openssl("-a"),
        "packed.gz": gzip.compress(openssl()),
        "age": b"age-encryption.org/v1\n-> X25519 abc\n" + os.urandom(300),
        "age.txt": b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n",
        "luks.img": b"LUKS\xba\xbe\x00\x02" + bytes(4000),
        "vault": b"$ANSIBLE_VAULT;1.1;AES256\n6162\n",
    }
    for n, (name, body) in enumerate(made.items()):
        folder = tmp_path / str(n)
        put(folder, name, body)
        found = of(folder)
        assert [p.encrypted for p in found.points] == [True], name
        assert verdict(encrypted, found).status is Status.PASS, name


def test_nothing_is_called_encrypted_that_is_not_known_to_be(tmp_path: Path) -> None:
    gpg(tmp_path, "--quick-gen-key", "s@example.invalid", "rsa2048", "default", "never")
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("db.sql", PG)
    made = {
        "signed": gpg(tmp_path, "--sign"),
        "signed.txt": gpg(tmp_path, "--armor", "--sign"),
        "clear.txt": gpg(tmp_path, "--clear-sign", body=b"text\n"),
        "random": os.urandom(5000),
        "a.zip": archive.read_bytes(),
        "a.7z": b"7z\xbc\xaf\x27\x1c" + bytes(500),
        "db.sql.gz": gzip.compress(PG + PG_END),
        "custom.dump": b"PGDMP\x01\x0e" + bytes(300),
        "x.gz": b"\x1f\x8b\x08" + b"Salted__" * 9,
    }
    for n, (name, body) in enumerate(made.items()):
        folder = tmp_path / str(n)
        put(folder, name, body)
        found = of(folder)
        assert [p.encrypted for p in found.points] == [None], name
        told = verdict(encrypted, found)
        assert told.status is Status.UNKNOWN, name
        assert told.failure is not None
        assert told.failure.kind is FailureKind.NOT_DECLARED
        readable = name in ("db.sql.gz", "custom.dump")
        assert ("not encrypted themselves" in told.failure.detail) == readable, name


def test_the_list_of_a_7z_archive_may_be_encrypted_too(tmp_path: Path) -> None:
    put(tmp_path, "a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(5000) + b"\x17\x06\x24\x06\xf1\x07\x01\x12")
    assert [p.encrypted for p in of(tmp_path).points] == [True]


# ---------------------------------------------------------------------------------- verification


BODIES = {
    "whole": gzip.compress(PG + PG_END, mtime=0),
    "cut": gzip.compress(bytes(range(256)) * 20, mtime=0)[:100],
    "unmarked": gzip.compress(PG, mtime=0),
    "not packed": PG + PG_END,
    "nothing": gzip.compress(b"", mtime=0),
}


@pytest.mark.parametrize(
    ("body", "verified", "status"),
    [
        ("whole", True, Status.PASS),
        ("cut", False, Status.FAIL),
        ("unmarked", False, Status.FAIL),
        # Read, but with nothing to compare it with; or nothing to read in it.
        ("not packed", None, Status.FAIL),
        ("nothing", None, Status.FAIL),
    ],
)
def test_what_was_unpacked_whole_is_verified(
    tmp_path: Path, body: str, verified: bool | None, status: Status
) -> None:
    put(tmp_path, "db", BODIES[body])
    found = of(tmp_path)
    assert [p.verified for p in found.points] == [verified]
    told = verdict(integrity_verified, found)
    assert told.status is status
    name = "point" if verified is False else "never" if verified is None else "point_good"
    assert told.message.id.rpartition(".")[2] == name


def test_answers_of_the_place_stand_beside_the_files(tmp_path: Path) -> None:
    put(tmp_path, "place", b"x" * 9)
    put(tmp_path, "below", b"x" * 9)
    assert sorted(p.name for p in of(tmp_path).points) == ["below", "place"]
