"""What a unit hands over about its correspondence, in the YAML files, and how it becomes values."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Annotated, Literal

from inventory import rules
from inventory.fields import Id, Line, Percent, ProjectPath, Raw, says
from inventory.model import (
    Documents,
    FileSource,
    MailboxSource,
    MailSource,
    WrittenOrder,
)
from inventory.problems import shown

_ADDRESS = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>]{1,255}")
Tell = Callable[[tuple[str | int, ...], str], None]
"""Reports a problem at a path of the document."""

MAIL_KINDS = ("postfix", "amavis", "zimbra", "exchange", "exim")
"""Kinds of mail logs that can be read; a new source adds its word here."""


class FilesDoc(Raw, frozen=True):
    """CSV files of the project."""

    path: Annotated[ProjectPath, says("File or pattern, relative to the project folder.")]
    columns: Annotated[
        dict[str, Line], says("`{ours: theirs}` for files whose headers differ.")
    ] = {}


class SourceDoc(FilesDoc, frozen=True):
    """CSV files of the project, or objects of a bucket."""

    bucket: Annotated[
        Id, says("Bucket that holds them: `path` is then a key or pattern of its objects.")
    ] = ""


class MailDoc(Raw, frozen=True):
    """A mail log."""

    kind: Annotated[
        str,
        says(
            "Program that writes it: "
            + ", ".join(f"`{k}`" for k in MAIL_KINDS)
            + ". `zimbra` is its `mailbox.log`; the log of its MTA is `postfix`. `amavis` is a file"
            " that Amavis writes beside Postfix's log.",
            extra={"check": rules.known("mail log kind", MAIL_KINDS)},
            extra_json_schema={"enum": list(MAIL_KINDS)},
        ),
    ]
    path: Annotated[
        Line, says("Absolute on the server; relative to the project without one.", min_length=1)
    ]
    server: Annotated[Id, says("Server that holds it; without one it is a project file.")] = ""
    bucket: Annotated[
        Id, says("Bucket that holds it instead: `path` is then a key or pattern of its objects.")
    ] = ""
    timezone: Annotated[
        str,
        says("Zone of old-style timestamps; default: the project's.", extra={"check": rules.zone}),
    ] = ""


class ProxyDoc(Raw, frozen=True):
    """A web proxy's log."""

    kind: Annotated[Literal["squid"], says("Program that writes it.")]
    path: Annotated[
        Line, says("Absolute on the server; relative to the project without one.", min_length=1)
    ]
    server: Annotated[Id, says("Server that holds it; without one it is a project file.")] = ""
    bucket: Annotated[
        Id, says("Bucket that holds it instead: `path` is then a key or pattern of its objects.")
    ] = ""


class OrderDoc(Raw, frozen=True):
    """The written order that allows mailboxes to be read."""

    document: Annotated[Line, says("Number of the order.", min_length=1)]
    date: Annotated[dt.date, says("Its date.")]
    by: Annotated[Line, says("Who gave it.", min_length=1)]
    purpose: Annotated[Line, says("What for.", min_length=1)]
    until: Annotated[dt.date, says("Last day on which it holds.")]


class MailboxDoc(Raw, frozen=True):
    """Mailboxes; only headers and attachment names are read, and only under a written order."""

    kind: Annotated[Literal["maildir", "mbox", "eml"], says("How the mails are kept.")]
    path: Annotated[ProjectPath, says("File or pattern, relative to the project folder.")]
    order: Annotated[OrderDoc, says("Who allowed it, for what, until when.")]


class DocumentsDoc(Raw, frozen=True):
    """What a unit hands over about its official correspondence."""

    signs: Annotated[tuple[Line, ...], says("The unit's own agency signs (`UBND-HK`).")] = ()
    codes: Annotated[tuple[Line, ...], says("Its codes on the document axis.")] = ()
    domains: Annotated[tuple[Line, ...], says("Its mail domains.")] = ()
    senders: Annotated[
        tuple[Line, ...],
        says(
            "Its own mailboxes, where others write from the same domain: addresses, `*` for any "
            "text (`*_hk@hanoi.gov.vn`)."
        ),
    ] = ()
    register: Annotated[SourceDoc | None, says("Register of outgoing documents.")] = None
    incoming: Annotated[SourceDoc | None, says("Register of incoming documents.")] = None
    postal: Annotated[SourceDoc | None, says("Register of letters sent by post.")] = None
    gateway: Annotated[
        SourceDoc | None, says("Gateway export of what was sent; `packets` do as well.")
    ] = None
    received: Annotated[SourceDoc | None, says("Gateway export of what was received.")] = None
    packets: Annotated[SourceDoc | None, says("Folder of edXML packets and status messages.")] = (
        None
    )
    x_road: Annotated[SourceDoc | None, says("X-Road operational monitoring data (JSON).")] = None
    mail: Annotated[tuple[MailDoc, ...], says("Mail logs.")] = ()
    mailboxes: Annotated[tuple[MailboxDoc, ...], says("Mailboxes that may be looked into.")] = ()
    proxy: Annotated[tuple[ProxyDoc, ...], says("Web proxy logs, for an indicator only.")] = ()
    target: Annotated[Percent | None, says("Percent that must be routed, if it set its own.")] = (
        None
    )


def build_files(doc: FilesDoc | None) -> FileSource | None:
    """Files of the project or of a bucket, None when there are none."""
    if doc is None:
        return None
    bucket = doc.bucket if isinstance(doc, SourceDoc) else ""
    return FileSource(path=doc.path, columns=doc.columns, bucket=bucket)


def build_documents(doc: DocumentsDoc, tell: Tell) -> Documents:
    """What a unit hands over; a path that fits no place is told."""
    logs: list[tuple[str, int, MailDoc | ProxyDoc]] = []
    logs += [("mail", index, log) for index, log in enumerate(doc.mail)]
    logs += [("proxy", index, log) for index, log in enumerate(doc.proxy)]
    for key, index, log in logs:
        rule = rules.host_path if log.server else rules.project_path
        try:
            rule(log.path)
        except ValueError as error:
            tell(("documents", key, index, "path"), str(error))
        if log.server and log.bucket:
            message = "lies on a server or in a bucket: name one of them"
            tell(("documents", key, index, "bucket"), message)
    for index, sender in enumerate(doc.senders):
        if not _ADDRESS.fullmatch(sender):
            tell(
                ("documents", "senders", index),
                f"{shown(sender)} is no address: write one, such as vanthu_hk@hanoi.gov.vn",
            )
    return Documents(
        signs=doc.signs,
        codes=doc.codes,
        domains=doc.domains,
        senders=doc.senders,
        register=build_files(doc.register),
        incoming=build_files(doc.incoming),
        postal=build_files(doc.postal),
        gateway=build_files(doc.gateway),
        received=build_files(doc.received),
        packets=build_files(doc.packets),
        x_road=build_files(doc.x_road),
        mail=tuple(
            MailSource(
                kind=m.kind, path=m.path, server=m.server, bucket=m.bucket, timezone=m.timezone
            )
            for m in doc.mail
        ),
        mailboxes=tuple(
            MailboxSource(kind=m.kind, path=m.path, order=_order(m.order)) for m in doc.mailboxes
        ),
        proxy=tuple(
            MailSource(kind=m.kind, path=m.path, server=m.server, bucket=m.bucket)
            for m in doc.proxy
        ),
        target=doc.target,
    )


def _order(doc: OrderDoc) -> WrittenOrder:
    return WrittenOrder(
        document=doc.document, date=doc.date, by=doc.by, purpose=doc.purpose, until=doc.until
    )
