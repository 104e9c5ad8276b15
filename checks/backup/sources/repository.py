"""Where a tool's repository lies, as far as its address, the inventory and the mounts say."""

from __future__ import annotations

import re
import shlex

import msgspec

from checks.backup.series import Repository
from checks.evidence import Evidence, Failure, FailureKind, NotDeclared, Probe
from checks.model import Subject
from checks.texts import clean
from inventory.index import index_of
from inventory.model import BackupSet

PLACE = Probe(
    id="backup.place",
    title="file system on which a local backup repository lies",
    script=lambda p: f"df -PT {shlex.quote(p['path'])} 2>/dev/null | tail -n 1",
    timeout=10,
    limit=4096,
)

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
_NETWORK = re.compile(r"nfs|cifs|smb|ceph|gluster|sshfs|rclone|9p|afs|lustre|davfs|s3fs")
_PASSWORD = re.compile(r"//([^/@\s:]*):[^/@\s]*@")
_URL = re.compile(
    r"(?:([a-z0-9+_-]+)://)(?:[^/@]*@)?(\[[^\]]*\]|[^/:?]*)(?::\d*)?(/?.*)",
    re.IGNORECASE | re.DOTALL,
)
_SCP = re.compile(r"(?:[^/@:]+@)?(\[[^\]]*\]|[^/:@]+):(.*)", re.DOTALL)
_BUCKETS = frozenset({"s3", "b2", "gs", "azure", "swift"})


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """A repository's address taken apart. A plain path has no scheme; unknown parts are empty."""

    scheme: str = ""
    host: str = ""
    bucket: str = ""
    path: str = ""

    @property
    def local(self) -> bool:
        """A path on the server itself, as the tool sees it (a mount may still lead away)."""
        return not self.scheme and not self.host


def without_password(address: str) -> str:
    """The address as a person may see it."""
    return clean(_PASSWORD.sub(r"//\1@", address))


def address_of(backup: BackupSet) -> str:
    """The declared repository, fit to stand in an argument.

    Raises:
        NotDeclared: there is none, or it carries a password, which any account could read there.
    """
    where = f"backup set {backup.system}/{backup.id}"
    address = backup.repository.strip()
    if not address or "\0" in address or "\n" in address:
        raise NotDeclared(f"{where}: repository")
    if _PASSWORD.search(address):
        raise NotDeclared(
            f"{where}: repository without a password in it (an argument is no place for one)"
        )
    return address


def locate(address: str) -> Location:
    """Read an address of restic, borg, duplicity or rclone.

    >>> locate("sftp:u@h:/srv/r").host, locate("s3:https://h:9000/b/r").bucket
    ('h', 'b')
    """
    word, colon, rest = address.partition(":")
    if not colon or "/" in word:
        return Location(path=address)
    if rest.startswith("//"):
        return _url(address)
    if word in _BUCKETS:
        return _bucket(word, rest)
    if word in ("local", "rclone"):
        return Location(scheme=word.removeprefix("local"), path=rest)
    if word in ("rest", "sftp"):
        found = locate(rest)
        return Location(scheme=word, host=found.host, path=found.path)
    scp = _SCP.fullmatch(address)
    return Location(scheme="ssh", host=scp[1], path=scp[2]) if scp else Location(path=address)


def _url(address: str) -> Location:
    found = _URL.fullmatch(address)
    if found is None:
        return Location(path=address)
    scheme = found[1].lower().rpartition("+")[2]
    if scheme == "file":
        return Location(path=found[3] or "/")
    if scheme in ("s3", "b2", "gs", "azure", "swift", "boto3"):
        bare = found[2] or found[3].strip("/").partition("/")[0]
        return Location(scheme="s3" if scheme == "boto3" else scheme, bucket=bare, path=found[3])
    return Location(scheme=scheme, host=found[2], path=found[3])


def _bucket(scheme: str, rest: str) -> Location:
    """`s3:[https://]host/bucket/path`, `b2:bucket:path`."""
    if scheme != "s3":
        bucket, _, path = rest.partition(":")
        return Location(scheme=scheme, bucket=bucket, path=path)
    host, _, below = (
        rest.partition("://")[2].partition("/") if "://" in rest else rest.partition("/")
    )
    bucket, _, path = below.partition("/")
    return Location(
        scheme=scheme, host=host.rpartition("@")[2].partition(":")[0], bucket=bucket, path=path
    )


def describe(subject: Subject, address: str, platform: str, place: Evidence | None) -> Repository:
    """What can be said of a repository from its address and from where the inventory puts it."""
    backup = subject.the_backup
    found = locate(address)
    remote, doubt = _remote(subject, found, place)
    server = _server(subject, found)
    unseen = {"remote": doubt} if doubt else {}
    deletable, immutable = _rights(backup, found, remote)
    if deletable is None:
        unseen["deletable"] = _missing(_who_deletes(found))
    if immutable is None:
        unseen["immutable"] = _missing(_what_locks(found))
    if found.bucket or found.scheme in _BUCKETS:
        unseen["public"] = _missing(_what_locks(found))
    return Repository(
        id=without_password(address),
        location=without_password(address),
        platform=platform,
        server=server if remote is not False or not found.local else backup.server,
        remote=remote,
        deletable=deletable,
        immutable=immutable,
        unseen=unseen,
    )


def _remote(
    subject: Subject, found: Location, place: Evidence | None
) -> tuple[bool | None, Failure | None]:
    if found.scheme == "rclone":
        return None, _missing("what the rclone remote stands for: declare the bucket behind it")
    if not found.local:
        own = subject.inventory.servers.get(subject.the_backup.server)
        here = {own.address} if own is not None else set()
        return found.host not in (_LOOPBACK | here) or not found.host, None
    # Filesystem Type Blocks Used Available Capacity Mounted-on
    words = bytes(place.stdout).decode("utf-8", "replace").split() if place is not None else []
    if len(words) < 7:
        detail = f"df of {clean(found.path)}"
        return None, Failure(kind=FailureKind.COMMAND_FAILED, detail=detail)
    device, kind = words[0], words[1]
    away = bool(_NETWORK.search(kind.lower())) or ":" in device or device.startswith("//")
    return away, None


def _server(subject: Subject, found: Location) -> str:
    """The server or bucket of the inventory that an address names; empty when none does."""
    if found.bucket:
        mine = [b for b in subject.inventory.buckets.values() if b.bucket == found.bucket]
        return mine[0].id if len(mine) == 1 else ""
    return next((s.id for s in index_of(subject.inventory).servers_at.get(found.host, ())), "")


def _rights(
    backup: BackupSet, found: Location, remote: bool | None
) -> tuple[bool | None, bool | None]:
    """Whether the protected server can delete the copies, and whether anything forbids it."""
    if found.local and remote is False and backup.server == backup.protects != "":
        return True, False  # whoever is root there deletes them
    return None, None


def _who_deletes(found: Location) -> str:
    if found.bucket:
        return "the bucket's policy: declare the bucket, and read it as a set of kind s3 too"
    return "the rights of the account that writes the copies, in the place where they lie"


def _what_locks(found: Location) -> str:
    if found.bucket:
        return "the bucket's Object Lock and policy: declare the bucket"
    if found.scheme == "rest":
        return "whether rest-server runs with --append-only, which it does not tell its clients"
    return "snapshots or append-only service in the place where the copies lie"


def _missing(what: str) -> Failure:
    return Failure(kind=FailureKind.NOT_DECLARED, detail=what)
