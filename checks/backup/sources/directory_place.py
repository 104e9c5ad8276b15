"""Where a folder of dumps really lies, and what follows from it for the safety of its files.

`df` names the device and the file system. A network mount is another machine's; a second disk of
the same server is not. What no one on the host can see is said to be missing, never guessed.
"""

from __future__ import annotations

import re

import msgspec

from checks.backup.series import Repository
from checks.evidence import Failure, FailureKind
from checks.model import Subject
from checks.texts import clean
from inventory.index import index_of

_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|ceph|glusterfs|lustre|afs|davfs|beegfs|gpfs|"
    r"fuse\.(sshfs|glusterfs|ceph\S*|davfs2?|s3fs|goofys|gcsfuse|blobfuse2?|smb\S*|nfs\S*)"
)
_HIDDEN = re.compile(r"9p|v9fs|virtiofs|vboxsf|prl_fs|fuse\.\S+")
"""File systems that pass on what lies anywhere: of a virtual machine's host, of another program."""
_CIPHERED = re.compile(r"ecryptfs|fuse\.(gocryptfs|encfs|cryfs|securefs)")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Filesystem [Type] Blocks Used Available Capacity Mounted-on; a share's name may hold blanks.
_LINE = re.compile(r"(\S.*?) (?:([A-Za-z]\S*) )?(?:\d+|-) (?:\d+|-) (?:-?\d+|-) \S+ /.*")
_LONGEST = 1024
_UNC = re.compile(r"//(?:[^@/]*@)?([^/]+)/?.*")
_HOST = re.compile(r"(?:[^/@:]+@)?(?:\[([^\]]+)\]|([^/@:,\[]+)):.*")


class Mount(msgspec.Struct, frozen=True):
    """The device and type of a file system as `df` names them; `crypt`: on an encrypted device."""

    device: str
    kind: str = ""
    crypt: bool = False

    @property
    def host(self) -> str:
        """The server that a network mount names; empty when it names none."""
        found = _UNC.fullmatch(self.device) or _HOST.fullmatch(self.device)
        return next((g for g in found.groups() if g), "") if found else ""

    @property
    def network(self) -> bool:
        """Its files lie on another machine, as far as its type and name say."""
        if _NETWORK.fullmatch(self.kind):
            return True
        return not self.kind and bool(self.host)  # a df that tells no type


def mount_of(text: str, below: str = "") -> Mount | None:
    """The mount in the answer of `df -PT` or `df -P`; None when there is none in it."""
    lines = text.splitlines()
    found = _LINE.fullmatch(" ".join(lines[-1][:_LONGEST].split())) if len(lines) > 1 else None
    if found is None:
        return None
    return Mount(found[1], (found[2] or "").lower(), below == "crypt")


def repository(subject: Subject, mount: Mount | None, folder: str, newest: str) -> Repository:
    """The place of a folder. `newest`: what its newest files were seen to be (`plain` or empty)."""
    backup = subject.the_backup
    remote, doubt = _remote(subject, mount)
    unseen = {"remote": doubt} if doubt is not None else {}
    own = remote is False and backup.server == backup.protects != ""
    ciphered = mount is not None and (mount.crypt or bool(_CIPHERED.fullmatch(mount.kind)))
    if not ciphered:
        unseen["encrypted"] = _unsure(mount, folder, newest)
    if not own:
        unseen["deletable"] = _missing(
            f"the rights to {folder} of the account that writes the copies"
        )
        unseen["immutable"] = _missing(f"snapshots or locks of the place where {folder} lies")
    away = clean(mount.host or mount.device) if mount is not None and remote else ""
    return Repository(
        location=away or clean(folder),
        platform="directory",
        server=_server(subject, mount, remote),
        remote=remote,
        encrypted=True if ciphered else None,
        # Whoever is root on the server deletes what lies on its own disks, locked or not.
        deletable=True if own else None,
        immutable=False if own else None,
        unseen=unseen,
    )


def _remote(subject: Subject, mount: Mount | None) -> tuple[bool | None, Failure | None]:
    if mount is None:
        what = "df of the folder: whether it is a mount of another machine"
        return None, Failure(kind=FailureKind.MISSING_TOOL, detail=what)
    if mount.network:
        own = subject.inventory.servers.get(subject.the_backup.server)
        here = {own.address, own.id} if own is not None else set()
        return mount.host not in (_LOOPBACK | here) or not mount.host, None
    if _HIDDEN.fullmatch(mount.kind):
        return None, _missing(f"where the files of a mount of type {clean(mount.kind)} really lie")
    return False, None


def _server(subject: Subject, mount: Mount | None, remote: bool | None) -> str:
    backup = subject.the_backup
    if remote is False:
        return backup.server
    if remote and mount is not None and mount.host:
        return next((s.id for s in index_of(subject.inventory).servers_at.get(mount.host, ())), "")
    # What is listed on another server may be a mount there, yet hardly of the protected one.
    return backup.server if backup.protects and backup.server != backup.protects else ""


def _unsure(mount: Mount | None, folder: str, newest: str) -> Failure:
    files = {
        "plain": f"the files in {folder} are not encrypted themselves",
        "": f"the newest files in {folder} are of no kind that tells",
    }[newest]
    on = f" ({clean(mount.device)})" if mount is not None else ""
    return _missing(f"whether the storage below is encrypted{on}; {files}")


def _missing(what: str) -> Failure:
    return Failure(kind=FailureKind.NOT_DECLARED, detail=what)
