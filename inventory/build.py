"""One decoded document to the nouns of the model, with the rules that one document can break.

What needs other documents (dangling ids, doubles) is in `references`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from inventory.backup_keys import check_keys
from inventory.document_docs import build_documents, build_files
from inventory.level_docs import build_attestations, build_totals
from inventory.model import (
    BackupExemption,
    BackupRule,
    BackupSet,
    Bucket,
    Letter,
    Person,
    PointFilter,
    RestoreTest,
    Server,
    SshSettings,
    System,
    Unit,
    Waiver,
)
from inventory.schema import (
    BackupDoc,
    BackupExemptDoc,
    BackupRuleDoc,
    BucketDoc,
    PersonDoc,
    ServerDoc,
    SshDoc,
    SystemDoc,
    UnitDoc,
)
from inventory.signer_docs import build_signers

Path = tuple[str | int, ...]
Tell = Callable[[Path, str], None]
"""Reports a problem at a path of the document."""


class Built(NamedTuple):
    """What one document declares."""

    unit: Unit
    servers: list[Server]
    buckets: list[Bucket]
    systems: list[System]
    waivers: list[Waiver]


def build(doc: UnitDoc, tell: Tell) -> Built:
    """Make the nouns of one document; breaches of its own rules go to `tell`."""
    if doc.external:
        _only_named(doc, tell)
    return Built(
        unit=Unit(
            id=doc.unit,
            name=doc.name,
            kind=doc.kind,
            parent=doc.parent,
            accountable=_person(doc.accountable),
            officer=_person(doc.officer),
            zone=doc.zone,
            external=doc.external,
            documents=build_documents(doc.documents, tell) if doc.documents else None,
            levels=build_files(doc.levels),
            level_totals=build_totals(doc.level_totals),
            attestations=build_attestations(
                doc.attestations, lambda at, message: tell(("attestations", *at), message)
            ),
            signers=build_signers(doc.signers, lambda at, message: tell(("signers", at), message)),
            trust_roots=doc.trust_roots,
            letter=Letter(**msgspec.structs.asdict(doc.letter)),
        ),
        servers=[_server(doc, i, s, tell) for i, s in doc.servers.items()],
        buckets=[_bucket(doc.unit, i, b, tell) for i, b in doc.buckets.items()],
        systems=[_system(doc.unit, i, s, tell) for i, s in doc.systems.items()],
        waivers=[
            Waiver(
                check=w.check,
                target=w.target,
                unit=doc.unit,
                reason=w.reason,
                document=w.document,
                approved_by=w.approved_by,
                owner=w.owner,
                until=w.until,
            )
            for w in doc.waivers
        ],
    )


_SCANNED = (
    "servers",
    "buckets",
    "systems",
    "documents",
    "levels",
    "level_totals",
    "attestations",
    "waivers",
)


def _only_named(doc: UnitDoc, tell: Tell) -> None:
    # Declared here, these would never be scanned, and nobody would notice.
    for key in _SCANNED:
        if getattr(doc, key):
            tell((key,), "an external unit is never scanned: remove this or `external: true`")


def _person(doc: PersonDoc) -> Person:
    return Person(post=doc.post, name=doc.name, email=doc.email)


def _ssh(own: SshDoc, unit: SshDoc, server_id: str) -> SshSettings:
    # The unit's jump host is itself one of its servers as a rule; it is reached directly.
    via = own.via if own.via is not None else unit.via
    if own.via is None and via == server_id:
        via = ""
    return SshSettings(
        user=own.user or unit.user or "",
        port=own.port or unit.port or 0,
        key_file=(own.key_file if own.key_file is not None else unit.key_file) or "",
        via=via or "",
    )


def _server(unit: UnitDoc, server_id: str, doc: ServerDoc, tell: Tell) -> Server:
    if doc.transport == "ssh" and not doc.address:
        tell(("servers", server_id), "the key 'address' is missing: add it")
    _not_reserved("servers", server_id, tell)
    return Server(
        id=server_id,
        unit=unit.unit,
        address=doc.address,
        host_key=" ".join(doc.host_key.split()[:2]),
        transport=doc.transport,
        tags=doc.tags,
        site=doc.site,
        ssh=_ssh(doc.ssh, unit.ssh, server_id),
    )


def _not_reserved(kind: str, target: str, tell: Tell) -> None:
    # Evidence of the project folder is kept under this target id.
    if target == "files":
        tell((kind, target), "the id 'files' is taken by the program: choose another")


def _bucket(unit: str, bucket_id: str, doc: BucketDoc, tell: Tell) -> Bucket:
    _not_reserved("buckets", bucket_id, tell)
    if bool(doc.access_key) != bool(doc.secret_key):
        tell(("buckets", bucket_id), "access_key and secret_key belong together: give both")
    return Bucket(
        id=bucket_id,
        unit=unit,
        bucket=doc.bucket,
        endpoint=doc.endpoint,
        region=doc.region,
        profile=doc.profile,
        access_key=doc.access_key,
        secret_key=doc.secret_key,
        site=doc.site,
    )


def _system(unit: str, system_id: str, doc: SystemDoc, tell: Tell) -> System:
    place: Path = ("systems", system_id, "backup_rule", "reviewed")
    return System(
        id=system_id,
        unit=unit,
        name=doc.name,
        owner=doc.owner,
        operator=doc.operator,
        security_unit=doc.security_unit,
        used_by=doc.used_by,
        level=doc.level,
        servers=doc.servers,
        assessment=doc.assessment,
        backups=tuple(_backup(system_id, doc, i, b, tell) for i, b in doc.backups.items()),
        backup_rule=_backup_rule(doc.backup_rule, lambda message: tell(place, message)),
        backup_exempt=_exemption(doc.backup_exempt),
        decision=doc.decision,
        dossier=doc.dossier.rstrip("/"),
        attestations=build_attestations(
            doc.attestations,
            lambda at, message: tell(("systems", system_id, "attestations", *at), message),
        ),
    )


def _backup(
    system_id: str, system: SystemDoc, set_id: str, doc: BackupDoc, tell: Tell
) -> BackupSet:
    place: Path = ("systems", system_id, "backups", set_id)
    check_keys(doc, lambda key, message: tell((*place, key) if key else place, message))
    only = system.servers[0] if len(system.servers) == 1 else ""
    original = system.backups.get(doc.copy_of) if doc.copy_of != set_id else None
    if doc.copy_of and original is None:
        tell((*place, "copy_of"), f"no other set {doc.copy_of!r} in this system: correct it")
    elif original is not None and original.copy_of:
        tell((*place, "copy_of"), f"{doc.copy_of!r} is itself a copy: name {original.copy_of!r}")
    elif original is not None and doc.protects not in ("", original.protects or only):
        tell((*place, "protects"), f"is not what {doc.copy_of!r} protects, so it is no copy of it")
    return BackupSet(
        id=set_id,
        system=system_id,
        kind=doc.kind,
        server=doc.server,
        bucket=doc.bucket,
        path=doc.path,
        protects=doc.protects or (original.protects if original is not None else "") or only,
        copy_of=doc.copy_of,
        every=doc.every,
        grace=doc.grace,
        keep=doc.keep,
        site=doc.site,
        effective_from=doc.effective_from,
        restore_tests=tuple(
            RestoreTest(
                date=t.date, result=t.result, minutes=t.minutes, by=t.by, document=t.document
            )
            for t in doc.restore_tests
        ),
        repository=doc.repository,
        name=doc.name,
        match=_match(doc, lambda message: tell((*place, "match"), message)),
        run_as=doc.run_as,
        password_file=doc.password_file,
        password=doc.password,
        restore_within=doc.restore_within,
        restore_every=doc.restore_every,
    )


def _match(doc: BackupDoc, tell: Callable[[str], None]) -> PointFilter | None:
    match = doc.match
    if match is None:
        return None
    if not (match.host or match.paths or match.tags or match.prefix):
        tell("matches everything: give host, paths, tags or prefix, or remove it")
    return PointFilter(host=match.host, paths=match.paths, tags=match.tags, prefix=match.prefix)


def _backup_rule(doc: BackupRuleDoc | None, tell: Callable[[str], None]) -> BackupRule | None:
    if doc is None:
        return None
    if doc.reviewed is not None and doc.reviewed < doc.date:
        tell("is before the rule was issued: correct one of the dates")
    return BackupRule(document=doc.document, date=doc.date, reviewed=doc.reviewed)


def _exemption(doc: BackupExemptDoc | None) -> BackupExemption | None:
    if doc is None:
        return None
    return BackupExemption(
        reason=doc.reason,
        document=doc.document,
        approved_by=doc.approved_by,
        until=doc.until,
        servers=doc.servers,
    )
