"""The keys of a backup set: what a kind needs, what contradicts, and passwords never repeated."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from inventory import build
from inventory.backup_keys import KEYS, check_keys
from inventory.load import load
from inventory.model import BackupExemption, BackupRule, PointFilter
from inventory.problems import InvalidInput
from inventory.schema import BACKUP_KINDS, BackupDoc

HEAD = """\
unit: u
name: U
kind: ward
servers: {s: {address: h}, t: {address: h}}
systems:
  y:
    name: Y
    owner: u
    servers: [s]
"""


def told(**keys: object) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    check_keys(
        msgspec.convert(keys, BackupDoc, strict=False),
        lambda k, message: found.append((k, message)),
    )
    return found


def problems(project: Path, text: str) -> list[str]:
    (project / "f.yaml").write_text(HEAD + text, encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load(project / "f.yaml", project)
    return [str(p) for p in caught.value.problems]


GOOD: dict[str, dict[str, object]] = {
    "directory": {"server": "s", "path": "/b"},
    "s3": {"bucket": "k"},
    "restic": {"server": "s", "repository": "sftp:u@h:/r", "password_file": "/etc/r"},
    "borg": {"server": "s", "repository": "/srv/borg", "run_as": "borg"},
    "pgbackrest": {"server": "s", "name": "main"},
    "mariadb-backup": {"server": "s", "path": "/b"},
    "kopia": {"server": "s"},
    "proxmox": {"path": "pbs.json"},
    "register": {"path": "registers/backups-*.csv"},
    "veeam": {"path": "veeam.csv"},
    "wal-g": {"server": "s"},
    "windows-backup": {"path": "wsb.json"},
    "a-later-kind": {"server": "s", "name": "plan"},
}


@pytest.mark.parametrize("kind", GOOD)
def test_what_a_kind_needs_is_enough_and_each_key_is_needed(kind: str) -> None:
    keys = GOOD[kind]
    assert told(kind=kind, **keys) == []
    for key in {"server", "bucket", "path", "repository", "name"} & set(keys):
        ((place, message),) = told(kind=kind, **{k: v for k, v in keys.items() if k != key})
        assert place == ""
        assert f"'{key}'" in message
        assert message.endswith("is missing, add it")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("repository", "/r"),
        ("name", "n"),
        ("match", {"host": "h"}),
        ("run_as", "a"),
        ("password_file", "/p"),
        ("password", "env:P"),
    ],
)
@pytest.mark.parametrize("kind", ["directory", "s3"])
def test_a_key_that_would_not_be_looked_at_is_refused(kind: str, key: str, value: object) -> None:
    found = told(kind=kind, **GOOD[kind], **{key: value})
    assert (key, f"kind {kind} does not use this: remove it") in found


BUCKETS = ("aws-backup", "s3")


def test_aws_backup_goes_by_a_bucket_entry_and_a_name() -> None:
    assert told(kind="aws-backup", bucket="b", name="arn:aws:rds:us-east-1:1:db:one") == []
    ((_, message),) = told(kind="aws-backup", bucket="b")
    assert "'name' is missing" in message
    refused = told(kind="aws-backup", bucket="b", name="v", server="s", path="/b", run_as="a")
    assert {place for place, _ in refused} == {"server", "path", "run_as"}


@pytest.mark.parametrize(
    "kind", sorted(k for k in KEYS if k not in BUCKETS and not KEYS[k].in_project)
)
def test_only_stores_have_a_bucket(kind: str) -> None:
    keys = {"server": "s", "path": "/b"} | ({} if kind == "directory" else {"repository": "/r"})
    assert ("bucket", f"kind {kind} is read on a server: remove this, or make it kind s3") in told(
        kind=kind, bucket="k", **keys
    )


def test_a_console_of_bacula_is_not_run_by_sudo() -> None:
    ((key, _),) = told(kind="bacula", server="s", name="job", run_as="root")
    assert key == "run_as"


@pytest.mark.parametrize("key", ["server", "bucket"])
@pytest.mark.parametrize("kind", ["register", "veeam", "windows-backup"])
def test_a_file_of_the_project_lies_on_no_server(kind: str, key: str) -> None:
    ((place, message),) = told(kind=kind, path="b.csv", **{key: "x"})
    assert place == key
    assert message == f"kind {kind} reads a file of the project, not a {key}: remove this"
    assert [k for k, _ in told(kind=kind, path="/etc/b.csv")] == ["path"]
    assert [k for k, _ in told(kind=kind, path="../b.csv")] == ["path"]


def test_every_kind_with_keys_of_its_own_is_spelled_like_a_kind() -> None:
    # The table may be ahead of the sources, a kind with a source must not fall to the general rule
    # by a slip of the pen.
    assert {k for k in BACKUP_KINDS if k not in KEYS and k.replace("-", "") in KEYS} == set()
    assert {"directory", "s3"} <= set(KEYS)


def test_two_ways_to_a_password_and_one_that_sudo_takes_away() -> None:
    base = {"kind": "borg", "server": "s", "repository": "/r", "password": "env:P"}
    assert told(**base) == []
    assert [k for k, _ in told(**base, password_file="/p")] == ["password"]  # noqa: S106 - a path
    ((key, message),) = told(**base, run_as="borg")
    assert key == "password"
    assert "give password_file" in message


@pytest.mark.parametrize("path", ["pw", "~/pw", "../pw"])
def test_the_password_file_lies_at_an_absolute_path(path: str) -> None:
    ((key, _),) = told(kind="borg", server="s", repository="/r", password_file=path)
    assert key == "password_file"


@pytest.mark.parametrize(
    "repository",
    [
        "rest:https://u:hunter2@h/r",
        "sftp://u:hunter2@h/r",
        "s3:https://:hunter2@h/r",
    ],
)
def test_a_password_in_a_repository_is_refused_and_not_repeated(repository: str) -> None:
    ((key, message),) = told(kind="restic", server="s", repository=repository)
    assert key == "repository"
    assert message.startswith("holds a password")
    assert "hunter2" not in message


@pytest.mark.parametrize(
    "repository", ["sftp:u@h:/r", "ssh://u@h:22/./r", "/srv/a:b@c", "remote:bucket/x"]
)
def test_a_repository_without_a_password_is_fine(repository: str) -> None:
    assert told(kind="restic", server="s", repository=repository) == []


def test_a_literal_password_is_refused_and_not_repeated(tmp_path: Path) -> None:
    text = "    backups: {b: {kind: s3, bucket: k, password: hunter2}}\n"
    found = problems(tmp_path, text)
    assert any(
        p.startswith("f.yaml:10: systems.y.backups.b.password: expected a reference to the secret")
        for p in found
    )
    assert not any("hunter2" in p for p in found)


@pytest.mark.parametrize("account", ["-u", "#0", "a b", "root;id", "", "%wheel", "a/b"])
def test_an_account_is_a_name(tmp_path: Path, account: str) -> None:
    text = f'    backups: {{b: {{kind: s3, bucket: k, run_as: "{account}"}}}}\n'
    assert any("backups.b.run_as" in p for p in problems(tmp_path, text))


@pytest.mark.parametrize("key", ["repository", "name"])
def test_nothing_that_a_program_takes_for_an_option(key: str) -> None:
    keys = {"repository": "/r", "name": "n"} | {key: "--rsh=touch x"}
    found = told(kind="borg", server="s", **keys)
    assert [k for k, _ in found] == [key]


@pytest.mark.parametrize("key", ["restore_within", "restore_every"])
def test_a_restore_takes_time(key: str) -> None:
    keys = {"kind": "directory", "server": "s", "path": "/b"}
    assert [k for k, _ in told(**keys, **{key: dt.timedelta()})] == [key]
    assert told(**keys, **{key: dt.timedelta(seconds=1)}) == []


def test_a_match_without_a_key_would_take_every_point(tmp_path: Path) -> None:
    text = "    backups: {b: {kind: directory, server: s, path: /b, match: {}}}\n"
    assert any("backups.b.match: matches everything" in p for p in problems(tmp_path, text))


def test_an_exemption_names_servers_of_its_own_system(tmp_path: Path) -> None:
    text = (
        "    backup_exempt: {reason: r, document: d, approved_by: a, until: 2026-12-31,\n"
        "      servers: [s, t]}\n"
    )
    (found,) = problems(tmp_path, text)
    assert found == (
        "f.yaml:11: systems.y.backup_exempt.servers[1]: 't' is no server of this system: "
        "name one of its servers"
    )


@pytest.mark.parametrize("key", ["reason", "document", "approved_by", "until"])
def test_an_exemption_says_why_by_which_decision_by_whom_until_when(
    tmp_path: Path, key: str
) -> None:
    keys = {"reason": "r", "document": "d", "approved_by": "a", "until": "2026-12-31"}
    del keys[key]
    text = "    backup_exempt: {" + ", ".join(f"{k}: {v}" for k, v in keys.items()) + "}\n"
    assert problems(tmp_path, text) == [
        f"f.yaml:10: systems.y.backup_exempt: the key '{key}' is missing: add it"
    ]


def test_a_review_before_the_rule(tmp_path: Path) -> None:
    text = "    backup_rule: {document: d, date: 2026-02-01, reviewed: 2026-01-31}\n"
    (found,) = problems(tmp_path, text)
    assert found == (
        "f.yaml:10: systems.y.backup_rule.reviewed: is before the rule was issued: "
        "correct one of the dates"
    )


def test_everything_arrives(tmp_path: Path) -> None:
    text = """\
    backup_rule: {document: 01/QD, date: 2026-02-01, reviewed: 2026-02-01}
    backup_exempt: {reason: r, document: d, approved_by: a, until: 2026-12-31, servers: [s]}
    backups:
      b:
        kind: directory
        server: s
        path: /b
        restore_every: 90d
        restore_within: 4h
"""
    (tmp_path / "f.yaml").write_text(HEAD + text, encoding="utf-8")
    system = load(tmp_path / "f.yaml", tmp_path).systems["y"]
    day = dt.date(2026, 2, 1)
    assert system.backup_rule == BackupRule(document="01/QD", date=day, reviewed=day)
    assert system.backup_exempt == BackupExemption(
        reason="r", document="d", approved_by="a", until=dt.date(2026, 12, 31), servers=("s",)
    )
    (backup,) = system.backups
    assert backup.restore_every == dt.timedelta(days=90)
    assert backup.restore_within == dt.timedelta(hours=4)


def test_a_tool_set_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """\
    backups:
      b:
        kind: s3
        bucket: k
        repository: /r
        name: n
        match: {host: h, paths: [/p], tags: [t], prefix: x-}
        run_as: borg
        password_file: /p
buckets: {k: {bucket: k}}
"""
    # Whichever kinds have a source today, the values themselves must arrive.
    monkeypatch.setattr(build, "check_keys", lambda *_: None)
    (tmp_path / "f.yaml").write_text(HEAD + text, encoding="utf-8")
    (backup,) = load(tmp_path / "f.yaml", tmp_path).systems["y"].backups
    assert (backup.repository, backup.name, backup.run_as) == ("/r", "n", "borg")
    assert backup.password_file == "/p"  # noqa: S105 - a path
    assert backup.match == PointFilter(host="h", paths=("/p",), tags=("t",), prefix="x-")


COPY = """\
    backups:
      db: {kind: directory, server: s, path: /b, every: 1d, protects: s}
      far: {kind: directory, server: t, path: /b, every: 1d, copy_of: DB}
"""


def test_a_copy_protects_what_its_original_does(tmp_path: Path) -> None:
    text = HEAD.replace("servers: [s]", "servers: [s, t]") + COPY.replace("DB", "db")
    (tmp_path / "f.yaml").write_text(text, encoding="utf-8")
    sets = load(tmp_path / "f.yaml", tmp_path).systems["y"].backups
    assert [(b.id, b.copy_of, b.protects) for b in sets] == [("db", "", "s"), ("far", "db", "s")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (COPY.replace("DB", "absent"), "no other set 'absent'"),
        (COPY.replace("DB", "far"), "no other set 'far'"),
        (COPY.replace("DB", "db, protects: t"), "is not what 'db' protects"),
        (
            COPY.replace("DB", "mid") + COPY.splitlines(keepends=True)[2].replace("far", "mid"),
            "mid",
        ),
    ],
)
def test_a_copy_of_nothing_is_refused(tmp_path: Path, text: str, said: str) -> None:
    text = text.replace("copy_of: DB", "copy_of: db")
    (found,) = problems(tmp_path, text)
    assert said in found
    assert "systems.y.backups.far." in found
