"""A folder of YAML to an inventory; every kind of mistake with its place and remedy."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from inventory.load import load
from inventory.model import (
    Agency,
    BackupSet,
    Bucket,
    Documents,
    FileSource,
    Inventory,
    MailSource,
    Person,
    RestoreTest,
    Server,
    SshSettings,
    System,
    Unit,
    UnitKind,
    Waiver,
)
from inventory.problems import InvalidInput
from inventory.schema import BACKUP_KINDS

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBq00000000000000000000000000000000000000000"

CITY = """
unit: ha-noi
name: Hà Nội
kind: city
servers:
  bastion-1: {address: 10.0.0.1}
  hk-mail: {address: mail.hk.example}
---
unit: ca-ha-noi
name: Công an
kind: agency
external: true
"""

WARD = f"""
unit: "00070"
name: Phường Hoàn Kiếm
kind: ward
parent: ha-noi
accountable: {{name: Nguyễn Văn A, post: Chủ tịch UBND phường, email: ct@hk.example}}
officer: {{name: Trần Thị B, post: Công chức CNTT}}
zone: core
ssh: {{user: sauro, port: 22, key_file: ~/.ssh/id_ed25519, via: bastion-1}}

servers:
  hk-app-01:
    address: 10.0.7.1
    host_key: {KEY} root@hk
    tags: [app]
    site: dc1
  hk-db-01: {{transport: local, ssh: {{user: other, via: ""}}}}

buckets:
  hk-offsite: {{bucket: hk-backups, endpoint: "https://s3.example:9000", region: vn, profile: hk,
    access_key: env:HK_KEY, secret_key: "command:pass show hk", site: dc2}}

systems:
  hk-one-stop:
    name: Hệ thống một cửa điện tử
    owner: ha-noi
    operator: "00070"
    security_unit: ca-ha-noi
    used_by: ["00070"]
    level: 2
    servers: [hk-app-01]
    assessment: records/hk-one-stop.yaml
    backups:
      database:
        kind: directory
        server: hk-app-01
        path: /srv/backups/pg/*.dump
        every: 1d
        grace: 3h
        keep: 30d
        site: dc1
        effective_from: 2026-01-01
        restore_tests:
          - {{date: 2026-05-01, result: ok, minutes: 40, by: Tổ CNTT, document: 12/BB-UBND}}
      offsite: {{kind: s3, bucket: hk-offsite, path: pg/, every: "0 2 * * *", protects: hk-db-01}}

documents:
  signs: [UBND-HK]
  codes: [H26.70]
  domains: [hk.example]
  register: {{path: "registers/out-*.csv", columns: {{date: Ngày}}}}
  gateway: {{path: "gateway/sent-*.csv"}}
  mail:
    - {{kind: postfix, server: hk-mail, path: /var/log/mail.log, timezone: Asia/Ho_Chi_Minh}}
    - {{kind: postfix, path: logs/mail.log}}
  target: 95

waivers:
  - {{check: backup.offsite, target: hk-one-stop, reason: chờ, document: 12/TB-UBND,
     approved_by: CT, owner: CNTT, until: 2026-12-31}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "inventory").mkdir()
    return tmp_path


def put(project: Path, **files: str) -> None:
    for name, text in files.items():
        path = project / "inventory" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def faults(project: Path, agencies: str | None = None) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        load(Path("inventory"), project, Path(agencies) if agencies else None)
    return [str(p) for p in caught.value.problems]


def test_the_whole_schema_becomes_the_model(project: Path) -> None:
    put(project, ward=WARD, city=CITY)
    (project / "a.csv").write_text("code\nH26\n", encoding="utf-8")
    found = load(Path("inventory"), project, Path("a.csv"))
    unit_ssh = SshSettings(user="sauro", port=22, key_file="~/.ssh/id_ed25519", via="bastion-1")
    database = BackupSet(
        id="database",
        system="hk-one-stop",
        kind="directory",
        server="hk-app-01",
        path="/srv/backups/pg/*.dump",
        protects="hk-app-01",
        every="1d",
        grace=dt.timedelta(hours=3),
        keep=dt.timedelta(days=30),
        site="dc1",
        effective_from=dt.date(2026, 1, 1),
        restore_tests=(
            RestoreTest(
                date=dt.date(2026, 5, 1),
                result="ok",
                minutes=40,
                by="Tổ CNTT",
                document="12/BB-UBND",
            ),
        ),
    )
    offsite = BackupSet(
        id="offsite",
        system="hk-one-stop",
        kind="s3",
        bucket="hk-offsite",
        path="pg/",
        protects="hk-db-01",
        every="0 2 * * *",
    )
    documents = Documents(
        signs=("UBND-HK",),
        codes=("H26.70",),
        domains=("hk.example",),
        register=FileSource(path="registers/out-*.csv", columns={"date": "Ngày"}),
        gateway=FileSource(path="gateway/sent-*.csv"),
        mail=(
            MailSource(
                kind="postfix",
                server="hk-mail",
                path="/var/log/mail.log",
                timezone="Asia/Ho_Chi_Minh",
            ),
            MailSource(kind="postfix", path="logs/mail.log"),
        ),
        target=95,
    )
    assert found == Inventory(
        units={
            "ha-noi": Unit(id="ha-noi", name="Hà Nội", kind=UnitKind.CITY),
            "ca-ha-noi": Unit(id="ca-ha-noi", name="Công an", kind=UnitKind.AGENCY, external=True),
            "00070": Unit(
                id="00070",
                name="Phường Hoàn Kiếm",
                kind=UnitKind.WARD,
                parent="ha-noi",
                accountable=Person(
                    name="Nguyễn Văn A", post="Chủ tịch UBND phường", email="ct@hk.example"
                ),
                officer=Person(name="Trần Thị B", post="Công chức CNTT"),
                zone="core",
                documents=documents,
            ),
        },
        servers={
            "bastion-1": Server(id="bastion-1", unit="ha-noi", address="10.0.0.1"),
            "hk-mail": Server(id="hk-mail", unit="ha-noi", address="mail.hk.example"),
            "hk-app-01": Server(
                id="hk-app-01",
                unit="00070",
                address="10.0.7.1",
                host_key=KEY,
                tags=("app",),
                site="dc1",
                ssh=unit_ssh,
            ),
            "hk-db-01": Server(
                id="hk-db-01",
                unit="00070",
                address="",
                transport="local",
                ssh=SshSettings(user="other", port=22, key_file="~/.ssh/id_ed25519"),
            ),
        },
        buckets={
            "hk-offsite": Bucket(
                id="hk-offsite",
                unit="00070",
                bucket="hk-backups",
                endpoint="https://s3.example:9000",
                region="vn",
                profile="hk",
                access_key="env:HK_KEY",
                secret_key="command:pass show hk",  # noqa: S106 - a reference
                site="dc2",
            )
        },
        systems={
            "hk-one-stop": System(
                id="hk-one-stop",
                unit="00070",
                name="Hệ thống một cửa điện tử",
                owner="ha-noi",
                operator="00070",
                security_unit="ca-ha-noi",
                used_by=("00070",),
                level=2,
                servers=("hk-app-01",),
                assessment="records/hk-one-stop.yaml",
                backups=(database, offsite),
            )
        },
        agencies=(Agency(code="H26"),),
        waivers=(
            Waiver(
                check="backup.offsite",
                target="hk-one-stop",
                unit="00070",
                reason="chờ",
                document="12/TB-UBND",
                approved_by="CT",
                owner="CNTT",
                until=dt.date(2026, 12, 31),
            ),
        ),
    )


UNIT = "unit: u\nname: U\nkind: ward\n"
"""Three lines; what a case adds begins in line 4."""

SYSTEM = (
    UNIT
    + "servers: {s: {address: h}, t: {address: h}}\nsystems:\n  y:\n    name: Y\n    owner: u\n"
)
"""Eight lines."""

SET = SYSTEM + "    backups:\n      b: "
"""What a case adds stands in line 10."""

WAIVER = "reason: r, document: d, approved_by: a, owner: o, until: 2026-12-31}\n"

P = "inventory/f.yaml:"

CASES = {
    "unknown key": (UNIT + "zoen: core", P + "4: zoen: unknown key; did you mean 'zone'?"),
    "wrong type": (UNIT + "zone: [a]", P + "4: zone: expected one line of text, not a list"),
    "unquoted code": (
        "unit: 00070\nname: U\nkind: ward",
        P + '1: unit: without quotes YAML reads a number: put it in quotes, like "00070"',
    ),
    "unit id with ..": (
        "unit: ../x\nname: U\nkind: ward",
        P + "1: unit: expected an id: letters, digits, dot, underscore and hyphen, beginning with "
        "a letter or digit, not '../x'",
    ),
    "server id with ..": (
        UNIT + "servers:\n  ../../etc: {address: h}",
        P + "5: servers.../../etc: expected an id: letters, digits, dot, underscore and hyphen, "
        "beginning with a letter or digit, not '../../etc'",
    ),
    "kind": (
        "unit: u\nname: U\nkind: phuong",
        P
        + "3: kind: 'phuong' is not one of: city, department, ward, commune, special_zone, agency",
    ),
    "transport": (
        UNIT + "servers:\n  s: {address: h, transport: shh}",
        P + "5: servers.s.transport: 'shh' is not one of: bundle, local, ssh; did you mean 'ssh'?",
    ),
    "dangling parent": (
        UNIT + "parent: ha-noy",
        P + "4: parent: there is no unit 'ha-noy': correct it, or declare it",
    ),
    "own ancestor": (UNIT + "parent: u", P + "4: parent: is its own ancestor (u → u): correct it"),
    "dangling via": (
        UNIT + "servers:\n  s: {address: h, ssh: {via: x}}\n  sx: {address: h}",
        P + "5: servers.s.ssh.via: there is no server 'x'; did you mean 'sx'?",
    ),
    "via circle": (
        UNIT + "servers:\n  a: {address: h, ssh: {via: b}}\n  b: {address: h, ssh: {via: a}}",
        P + "5: servers.a: is reached through itself (via: a → b → a): correct it",
    ),
    "no address": (
        UNIT + "servers:\n  s: {tags: [a]}",
        P + "5: servers.s: the key 'address' is missing: add it",
    ),
    "address that is an option": (
        UNIT + "servers:\n  s: {address: -oProxyCommand=x}",
        P + "5: servers.s.address: expected a host name or an IP address, not '-oProxyCommand=x'",
    ),
    "host key": (
        UNIT + "servers:\n  s: {address: h, host_key: SHA256:abc}",
        P + "5: servers.s.host_key: expected the public key as `ssh-ed25519 AAAA…`, "
        "as ssh-keyscan prints it",
    ),
    "host key that is not base64": (
        UNIT + "servers:\n  s: {address: h, host_key: ssh-ed25519 AAAA…}",
        P + "5: servers.s.host_key: expected the public key as `ssh-ed25519 AAAA…`, "
        "as ssh-keyscan prints it; its second part is not base64",
    ),
    "host key of another type": (
        UNIT + f"servers:\n  s: {{address: h, host_key: {KEY.replace('ed25519', 'rsa', 1)}}}",
        P + "5: servers.s.host_key: expected the public key as `ssh-ed25519 AAAA…`, "
        "as ssh-keyscan prints it; the key itself is not of the type ssh-rsa",
    ),
    "reserved id": (
        UNIT + "servers:\n  files: {address: h}",
        P + "5: servers.files: the id 'files' is taken by the program: choose another",
    ),
    "port": (
        UNIT + "ssh: {port: 70000}",
        P + "4: ssh.port: 70000 is out of range: give a number from 1 to 65535",
    ),
    "literal secret": (
        UNIT + "buckets:\n  b: {bucket: x, access_key: env:A, secret_key: hunter2}",
        P + "5: buckets.b.secret_key: expected a reference to the secret (env:NAME, file:PATH or "
        "command:…), never the secret itself: move it there",
    ),
    "half a login": (
        UNIT + "buckets:\n  b: {bucket: x, access_key: env:A}",
        P + "5: buckets.b: access_key and secret_key belong together: give both",
    ),
    "endpoint with a login": (
        UNIT + "buckets:\n  b: {bucket: x, endpoint: 'https://me:pw@s3.example'}",
        P + "5: buckets.b.endpoint: expected a URL like https://s3.example.vn, without user and "
        "path, not 'https://me:pw@s3.example'",
    ),
    "server and bucket of one id": (
        UNIT + "servers:\n  b: {address: h}\nbuckets:\n  b: {bucket: x}",
        P + "7: buckets.b: the server id 'b' is taken (inventory/f.yaml:5): ids are unique",
    ),
    "no owner": (
        UNIT + "systems:\n  y:\n    name: Y",
        P + "6: systems.y: the key 'owner' is missing: add it",
    ),
    "two owners": (
        UNIT + "systems:\n  y: {name: Y, owner: [u, v]}",
        P + "5: systems.y.owner: expected an id: letters, digits, dot, underscore and hyphen, "
        "beginning with a letter or digit, not a list",
    ),
    "dangling owner": (
        UNIT + "systems:\n  y: {name: Y, owner: v}",
        P + "5: systems.y.owner: there is no unit 'v': correct it, or declare it",
    ),
    "dangling operator": (
        SYSTEM + "    operator: v",
        P + "9: systems.y.operator: there is no unit 'v': correct it, or declare it",
    ),
    "dangling security unit": (
        SYSTEM + "    security_unit: v",
        P + "9: systems.y.security_unit: there is no unit 'v': correct it, or declare it",
    ),
    "dangling user": (
        SYSTEM + "    used_by:\n    - u\n    - v",
        P + "11: systems.y.used_by[1]: there is no unit 'v': correct it, or declare it",
    ),
    "dangling server": (
        SYSTEM + "    servers: [s, x]",
        P + "9: systems.y.servers[1]: there is no server 'x': correct it, or declare it",
    ),
    "level": (
        SYSTEM + "    level: 6",
        P + "9: systems.y.level: 6 is out of range: give a number from 1 to 5",
    ),
    "record outside": (
        SYSTEM + "    assessment: ../secret.yaml",
        P + "9: systems.y.assessment: '../secret.yaml' may lead out of the project folder: "
        "remove `..`",
    ),
    "record hidden outside": (
        SYSTEM + "    assessment: a/../../secret.yaml",
        P + "9: systems.y.assessment: 'a/../../secret.yaml' may lead out of the project folder: "
        "remove `..`",
    ),
    "record through a folder and back": (
        SYSTEM + "    assessment: a/../record.yaml",
        P + "9: systems.y.assessment: 'a/../record.yaml' may lead out of the project folder: "
        "remove `..`",
    ),
    "absolute record": (
        SYSTEM + "    assessment: /etc/passwd",
        P + "9: systems.y.assessment: expected a path relative to the project folder, "
        "not '/etc/passwd'",
    ),
    "backup kind": (
        SET + "{kind: xyzzy, server: s, path: /b}",
        P
        + "10: systems.y.backups.b.kind: unknown backup kind 'xyzzy'; known kinds: "
        + ", ".join(BACKUP_KINDS),
    ),
    "backup without server": (
        SET + "{kind: directory, path: /b}",
        P + "10: systems.y.backups.b: kind directory is read on a server: the key 'server' is "
        "missing, add it",
    ),
    "backup without path": (
        SET + "{kind: directory, server: s}",
        P + "10: systems.y.backups.b: kind directory reads a folder: the key 'path' is missing, "
        "add it",
    ),
    "relative backup path": (
        SET + "{kind: directory, server: s, path: srv/b}",
        P + "10: systems.y.backups.b.path: expected an absolute path on the server, /…, "
        "not 'srv/b'",
    ),
    "directory in a bucket": (
        SET + "{kind: directory, server: s, path: /b, bucket: k}\nbuckets: {k: {bucket: k}}",
        P + "10: systems.y.backups.b.bucket: kind directory is read on a server: remove this, "
        "or make it kind s3",
    ),
    "s3 without bucket": (
        SET + "{kind: s3}",
        P + "10: systems.y.backups.b: kind s3 reads a bucket: the key 'bucket' is missing, add it",
    ),
    "s3 on a server": (
        SET + "{kind: s3, bucket: k, server: s}\nbuckets: {k: {bucket: k}}",
        P + "10: systems.y.backups.b.server: kind s3 reads a bucket, not a server: remove this",
    ),
    "dangling backup server": (
        SET + "{kind: directory, server: x, path: /b}",
        P + "10: systems.y.backups.b.server: there is no server 'x': correct it, or declare it",
    ),
    "dangling bucket": (
        SET + "{kind: s3, bucket: x}",
        P + "10: systems.y.backups.b.bucket: there is no bucket 'x': correct it, or declare it",
    ),
    "dangling bucket of a register": (
        UNIT + "documents: {register: {path: a.csv, bucket: k}}",
        P + "4: documents.register.bucket: there is no bucket 'k': correct it, or declare it",
    ),
    "dangling bucket of a mail log": (
        UNIT + "documents: {mail: [{kind: postfix, path: a/*, bucket: k}]}",
        P + "4: documents.mail[0].bucket: there is no bucket 'k': correct it, or declare it",
    ),
    "dangling bucket of a proxy's log": (
        UNIT + "documents: {proxy: [{kind: squid, path: a/*, bucket: k}]}",
        P + "4: documents.proxy[0].bucket: there is no bucket 'k': correct it, or declare it",
    ),
    "proxy's log in two places": (
        UNIT + "servers: {s: {address: h}}\nbuckets: {k: {bucket: k}}\n"
        "documents: {proxy: [{kind: squid, path: /a, server: s, bucket: k}]}",
        P + "6: documents.proxy[0].bucket: lies on a server or in a bucket: name one of them",
    ),
    "mail log in two places": (
        UNIT + "servers: {s: {address: h}}\nbuckets: {k: {bucket: k}}\n"
        "documents: {mail: [{kind: postfix, path: /a, server: s, bucket: k}]}",
        P + "6: documents.mail[0].bucket: lies on a server or in a bucket: name one of them",
    ),
    "dangling protects": (
        SET + "{kind: directory, server: s, path: /b, protects: x}",
        P + "10: systems.y.backups.b.protects: there is no server 'x': correct it, or declare it",
    ),
    "every": (
        SET + "{kind: directory, server: s, path: /b, every: daily}",
        P + "10: systems.y.backups.b.every: expected a number and a unit: 90s, 15m, 3h, 1d or 2w; "
        'or cron with five fields, "0 2 * * *"',
    ),
    "every nothing": (
        SET + "{kind: directory, server: s, path: /b, every: 0d}",
        P + "10: systems.y.backups.b.every: must be longer than nothing: give a duration like 1d",
    ),
    "cron of six fields": (
        SET + "{kind: directory, server: s, path: /b, every: 0 0 2 * * *}",
        P + '10: systems.y.backups.b.every: cron needs five fields like "0 2 * * *", '
        "not '0 0 2 * * *'",
    ),
    "cron that never comes": (
        SET + "{kind: directory, server: s, path: /b, every: 0 0 30 2 *}",
        P + "10: systems.y.backups.b.every: '0 0 30 2 *' is not a cron expression "
        "(Bad day-of-month): correct it",
    ),
    "cron out of range": (
        SET + "{kind: directory, server: s, path: /b, every: 0 25 * * *}",
        P + "10: systems.y.backups.b.every: '0 25 * * *' is not a cron expression (Bad hour): "
        "correct it",
    ),
    "grace": (
        SET + "{kind: directory, server: s, path: /b, grace: 3}",
        P + "10: systems.y.backups.b.grace: expected a number and a unit: 90s, 15m, 3h, 1d or 2w",
    ),
    "restore test": (
        SET + "{kind: directory, server: s, path: /b, restore_tests: [{date: 2026-02-30, "
        "result: ok}]}",
        P + "10: systems.y.backups.b.restore_tests[0].date: there is no such day as 2026-02-30: "
        "correct it",
    ),
    "register outside": (
        UNIT + "documents:\n  register: {path: ../*.csv}",
        P
        + "5: documents.register.path: '../*.csv' may lead out of the project folder: remove `..`",
    ),
    "sender": (
        UNIT + "documents:\n  senders: [a@hk.example, vanthu]",
        P + "5: documents.senders[1]: 'vanthu' is no address: write one, such as "
        "vanthu_hk@hanoi.gov.vn",
    ),
    "gateway outside": (
        UNIT + "documents:\n  gateway: {path: ~/x.csv}",
        P + "5: documents.gateway.path: expected a path relative to the project folder, "
        "not '~/x.csv'",
    ),
    "mail file outside": (
        UNIT + "documents:\n  mail:\n  - {kind: postfix, path: /var/log/mail.log}",
        P + "6: documents.mail[0].path: expected a path relative to the project folder, "
        "not '/var/log/mail.log'",
    ),
    "mail kind": (
        UNIT + "documents:\n  mail:\n  - {kind: sendmail, path: a.log}",
        P + "6: documents.mail[0].kind: unknown mail log kind 'sendmail'; known kinds: "
        "postfix, amavis, zimbra, exchange, exim",
    ),
    "dangling mail server": (
        UNIT + "documents:\n  mail:\n  - {kind: postfix, server: x, path: /a.log}",
        P + "6: documents.mail[0].server: there is no server 'x': correct it, or declare it",
    ),
    "relative path on the mail server": (
        UNIT + "servers: {m: {address: h}}\ndocuments:\n  mail:\n"
        "  - {kind: postfix, server: m, path: a.log}",
        P + "7: documents.mail[0].path: expected an absolute path on the server, /…, not 'a.log'",
    ),
    "mail zone": (
        UNIT + "documents:\n  mail:\n  - {kind: postfix, path: a.log, timezone: Asia/Hanoi}",
        P + "6: documents.mail[0].timezone: unknown time zone 'Asia/Hanoi': give a name like "
        "Asia/Ho_Chi_Minh",
    ),
    "waiver target": (
        SYSTEM + "waivers:\n- {check: backup.*, target: z, " + WAIVER,
        P + "10: waivers[0].target: there is no system, backup set, server or bucket 'z': name "
        "one of this unit's, or * for all of it",
    ),
    "waiver of an unknown backup set": (
        SYSTEM + "waivers:\n- {check: backup.*, target: y/nope, " + WAIVER,
        P + "10: waivers[0].target: there is no system, backup set, server or bucket 'y/nope': "
        "name one of this unit's, or * for all of it",
    ),
    "waiver check": (
        SYSTEM + "waivers:\n- {check: Backup everything, target: y, " + WAIVER,
        P + "10: waivers[0].check: expected a check id or a pattern like backup.*, "
        "not 'Backup everything'",
    ),
    "waiver path": (
        SYSTEM + "waivers:\n- {check: backup.*, target: ../y, " + WAIVER,
        P + "10: waivers[0].target: expected an id, system/backup, or *, not '../y'",
    ),
    "external with servers": (
        UNIT + "external: true\nservers: {s: {address: h}}",
        P + "5: servers: an external unit is never scanned: remove this or `external: true`",
    ),
    "double key": (
        UNIT + "name: V",
        P + "4: the key 'name' stands twice (first in line 2): keep one",
    ),
    "alias": (
        UNIT + "zone: &z core",
        P + "4: anchors (&) and aliases (*) are not allowed: write the value out",
    ),
    "empty file": (
        "# nothing\n",
        "inventory/f.yaml: is empty: describe a unit in it, or delete it",
    ),
    "a list": ("- a\n", P + "1: expected a mapping (lines of `key: value`), not a list"),
    "syntax": (
        UNIT + "zone: [",
        P + "4: is not valid YAML (did not find expected node content)",
    ),
}


@pytest.mark.parametrize(("text", "message"), CASES.values(), ids=CASES.keys())
def test_every_mistake_has_its_place_and_remedy(project: Path, text: str, message: str) -> None:
    put(project, f=text)
    assert faults(project) == [message]


def test_all_mistakes_of_all_files_come_in_one_go(project: Path) -> None:
    put(project, a=UNIT + "zoen: x", b="unit: b\nname: B\nkind: ward\nparent: nope\nssh: {prot: 1}")
    put(project, c="unit: c\nname: C\nkind: ward\nparent: nope")
    assert [f.split(": ")[0] for f in faults(project)] == [
        "inventory/a.yaml:4",
        "inventory/b.yaml:5",
        "inventory/c.yaml:4",
    ]


def test_a_fault_in_a_unit_does_not_make_references_to_it_wrong(project: Path) -> None:
    put(project, a=UNIT + "zoen: x\nservers: {s: {address: h}}")
    put(
        project,
        b="unit: b\nname: B\nkind: ward\nparent: u\nservers: {t: {address: h, ssh: {via: s}}}",
    )
    assert faults(project) == ["inventory/a.yaml:4: zoen: unknown key; did you mean 'zone'?"]


def test_references_wait_until_every_file_can_be_read(project: Path) -> None:
    put(project, a="unit: [", b="unit: b\nname: B\nkind: ward\nparent: a")
    assert [f.split(":")[0] for f in faults(project)] == ["inventory/a.yaml"]


def test_doubles_name_both_places(project: Path) -> None:
    more = "servers: {s: {address: h}}\nsystems: {y: {name: Y, owner: u}}\n"
    put(project, a=UNIT + more, b="# a comment\n" + UNIT + "\n" + more)
    assert faults(project) == [
        "inventory/b.yaml:2: unit: the unit id 'u' is taken (inventory/a.yaml:1): ids are unique",
        (
            "inventory/b.yaml:6: servers.s: the server id 's' is taken (inventory/a.yaml:4): "
            "ids are unique"
        ),
        (
            "inventory/b.yaml:7: systems.y: the system id 'y' is taken (inventory/a.yaml:5): "
            "ids are unique"
        ),
    ]


def test_a_waiver_does_not_reach_into_another_unit(project: Path) -> None:
    put(project, a=SYSTEM)
    waivers = "".join(f"- {{check: a.b, target: {t}, {WAIVER}" for t in ("u", "y", "y/b", "s"))
    put(project, b="unit: b\nname: B\nkind: ward\nwaivers:\n" + waivers)
    end = "stands in another unit's file: a waiver reaches only its own"
    assert faults(project) == [
        f"inventory/b.yaml:5: waivers[0].target: 'u' {end}",
        f"inventory/b.yaml:6: waivers[1].target: 'y' {end}",
        f"inventory/b.yaml:7: waivers[2].target: 'y/b' {end}",
    ]


@pytest.mark.parametrize("target", ["'*'", "u", "y", "y/b", "s", "k"])
def test_a_waiver_may_name_all_that_is_there(project: Path, target: str) -> None:
    put(
        project,
        a=SET + "{kind: s3, bucket: k}\nbuckets: {k: {bucket: k}}\n"
        f"waivers:\n- {{check: a.b, target: {target}, {WAIVER}",
    )
    assert len(load(Path("inventory"), project).waivers) == 1


def test_a_circle_of_parents_is_told_once(project: Path) -> None:
    for name, parent in ("ab", "bc", "ca", "da"):
        put(project, **{name: f"unit: {name}\nname: N\nkind: ward\nparent: {parent}"})
    assert faults(project) == [
        "inventory/a.yaml:4: parent: is its own ancestor (a → b → c → a): correct it"
    ]


def test_the_jump_host_of_a_unit_is_reached_directly(project: Path) -> None:
    put(project, a=UNIT + "ssh: {via: j}\nservers: {j: {address: h}, s: {address: h}}")
    servers = load(Path("inventory"), project).servers
    assert servers["j"].ssh.via == ""
    assert servers["s"].ssh.via == "j"


@pytest.mark.parametrize(("servers", "protects"), [("[s]", "s"), ("[s, t]", ""), ("[]", "")])
def test_protects_defaults_to_the_only_server(project: Path, servers: str, protects: str) -> None:
    text = SET + "{kind: directory, server: t, path: /b}\n    servers: " + servers
    put(project, a=text)
    assert load(Path("inventory"), project).systems["y"].backups[0].protects == protects


def test_files_merge_in_the_order_of_their_paths(project: Path) -> None:
    folder = project / "inventory" / "deep" / "er"
    folder.mkdir(parents=True)
    (folder / "x.yml").write_text("unit: x\nname: X\nkind: ward\nparent: u\n", encoding="utf-8")
    put(project, z="unit: z\nname: Z\nkind: ward\n---\nunit: y\nname: Y\nkind: ward\n", a=UNIT)
    (project / "inventory" / "notes.txt").write_text("unit: [", encoding="utf-8")
    (project / "inventory" / ".hidden.yaml").write_text("unit: [", encoding="utf-8")
    assert list(load(Path("inventory"), project).units) == ["u", "x", "z", "y"]


def test_one_file_will_do(project: Path) -> None:
    put(project, a=UNIT)
    assert list(load(Path("inventory/a.yaml"), project).units) == ["u"]


def test_linked_folders_are_read_once(project: Path) -> None:
    real = project / "elsewhere"
    real.mkdir()
    (real / "x.yaml").write_text(UNIT, encoding="utf-8")
    (project / "inventory" / "linked").symlink_to(real)
    (real / "loop").symlink_to(real)
    assert list(load(Path("inventory"), project).units) == ["u"]


def test_a_missing_or_empty_folder_is_an_error(project: Path) -> None:
    assert faults(project) == ["inventory: holds no .yaml file: add one per unit"]
    (project / "inventory").rmdir()
    assert faults(project) == [
        "inventory: does not exist: create it, or set `inventory:` in sauro.yaml"
    ]


def test_what_is_no_ordinary_file_is_refused_unopened(project: Path) -> None:
    put(project, a=UNIT)
    os.mkfifo(project / "inventory" / "pipe.yaml")
    (project / "inventory" / "gone.yaml").symlink_to("nowhere.yaml")
    assert faults(project) == [
        "inventory/gone.yaml: cannot be read (No such file or directory): make it readable",
        "inventory/pipe.yaml: is not an ordinary file: remove it",
    ]


def test_a_hostile_file_name_stays_one_line(project: Path) -> None:
    put(project, **{"a\n\x1b[31mb": UNIT + "zoen: x"})
    assert faults(project) == ["inventory/a??[31mb.yaml:4: zoen: unknown key; did you mean 'zone'?"]


def test_a_directory_of_agencies_among_the_units_is_not_passed_over(project: Path) -> None:
    stray = project / "inventory" / "agencies.csv"
    stray.write_text("code\nH26\n")
    said = "inventory/agencies.csv: is not read here: move it beside sauro.yaml, or set"
    assert any(f.startswith(said) for f in faults(project))
    (project / "agencies.csv").write_text("code\nH27\n")
    assert any(f.startswith(said) for f in faults(project, "agencies.csv"))
    assert not any(said in f for f in faults(project, "inventory/agencies.csv"))


def test_faults_of_the_directory_of_agencies_come_along(project: Path) -> None:
    put(project, a=UNIT + "zoen: x")
    (project / "a.csv").write_text("code,nmae\n,x\n", encoding="utf-8")
    assert faults(project, "a.csv") == [
        "a.csv:1: unknown column 'nmae'; did you mean 'name'?",
        "a.csv:2: code: is empty: fill it in",
        "inventory/a.yaml:4: zoen: unknown key; did you mean 'zone'?",
    ]
    assert "missing.csv: cannot be read" in " ".join(faults(project, "missing.csv"))


def test_thousands_of_dangling_ids_are_told_without_delay(project: Path) -> None:
    servers = "".join(f"  s{n}: {{address: h, ssh: {{via: s{n}x}}}}\n" for n in range(3000))
    put(project, a=UNIT + "servers:\n" + servers)
    found = faults(project)
    assert len(found) == 3000
    assert "did you mean" in found[0]
