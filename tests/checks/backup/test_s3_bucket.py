"""What a bucket's answers become: every yes positive, every no a known code, else unknown."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.backup.places import places_of
from checks.backup.series import BackupSeries, PointState, Repository
from checks.backup.sources.registry import SERIES
from checks.backup.sources.s3 import LOCKS, MARKERS, OBJECTS, PROTECTION, UPLOADS
from checks.backup.sources.s3_answers import RIGHTS
from checks.evidence import Answers, Evidence, Failure, FailureKind, Unparsable
from checks.model import Context, Scope, Subject
from inventory.model import BackupSet, Bucket, Inventory, Server, System, Unit, UnitKind
from tests.helpers.backup_series import NOW, UTC

ABSENT = {
    "lock": "ObjectLockConfigurationNotFoundError",
    "encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "public_block": "NoSuchPublicAccessBlockConfiguration",
    "policy": "NoSuchBucketPolicy",
    "ownership": "OwnershipControlsNotFoundError",
    "lifecycle": "NoSuchLifecycleConfiguration",
    "replication": "ReplicationConfigurationNotFoundError",
}
OWNER = [{"type": "CanonicalUser", "uri": "", "permission": "FULL_CONTROL"}]
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
SHUT = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
STORED = "2026-11-22T02:00:00Z"


def bare() -> dict[str, Any]:
    """What a fresh bucket answers to every question."""
    lines: dict[str, Any] = {k: {"code": v, "kind": "command_failed"} for k, v in ABSENT.items()}
    lines["versioning"] = {"value": {}, "root": "VersioningConfiguration"}
    lines["acl"] = {"value": OWNER}
    return lines


def listing(*lines: dict[str, Any]) -> bytes:
    end = {"total": len(lines), "bytes": 0, "pages": 1, "capped": ""}
    return b"".join(json.dumps(line).encode() + b"\n" for line in (*lines, end))


def obj(key: str, size: int = 100) -> dict[str, Any]:
    return {"key": key, "size": size, "last_modified": STORED, "storage_class": "", "etag": "e"}


def read(
    told: dict[str, Any] | bytes | Failure,
    locks: tuple[dict[str, Any], ...] | Failure = (),
    hidden: tuple[dict[str, Any], ...] = (),
    keys: tuple[str, ...] = ("db/a-20261122T020000Z.dump",),
    endpoint: str = "https://s3.hanoi.example",
    **more: Any,
) -> BackupSeries:
    """The series of a bucket that answered so."""
    if isinstance(told, dict):
        told = listing(*({"ask": ask, **line} for ask, line in told.items()))
    answers = [(OBJECTS.id, listing(*(obj(k) for k in keys))), (MARKERS.id, listing(*hidden))]
    evidence = [Evidence(probe=p, target="b", key="", taken=NOW, stdout=out) for p, out in answers]
    for probe, found in ((PROTECTION.id, told), (LOCKS.id, locks)):
        if isinstance(found, Failure):
            lost = Evidence(probe=probe, target="b", key="", taken=NOW, failure=found)
            evidence.append(lost)
        else:
            out = found if isinstance(found, bytes) else listing(*found)
            evidence.append(Evidence(probe=probe, target="b", key="", taken=NOW, stdout=out))
    context = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject(endpoint, **more))
    return SERIES.parse(context, Answers(evidence))


def subject(endpoint: str = "", **more: Any) -> Subject:
    given = {"id": "db", "system": "s", "kind": "s3", "bucket": "b", "path": "db", "every": "1d"}
    backup = BackupSet(**(given | {"protects": "h"} | more))
    servers = {
        "h": Server(id="h", unit="u", address="10.0.7.1"),
        "store": Server(id="store", unit="u", address="10.0.7.9"),
    }
    bucket = Bucket(id="b", unit="u", bucket="hk-backups", endpoint=endpoint)
    return Subject(
        scope=Scope.BACKUP,
        inventory=Inventory(servers=servers, buckets={"b": bucket}),
        unit=Unit(id="u", name="U", kind=UnitKind.WARD),
        target="b",
        name="db",
        system=System(id="s", unit="u", name="S", owner="u", backups=(backup,)),
        backup=backup,
    )


def place(told: dict[str, Any] | None = None, **more: Any) -> Repository:
    """The repository of a fresh bucket with some answers changed."""
    (only,) = read({**bare(), **(told or {})}, **more).repositories
    return only


def lock(key: str = "db/a-20261122T020000Z.dump", **more: Any) -> dict[str, Any]:
    return {"key": key, "last_modified": STORED, **more}


def held(days: float, mode: str = "COMPLIANCE") -> dict[str, Any]:
    until = dt.datetime.fromisoformat(STORED) + dt.timedelta(days=days)
    return {"value": {"mode": mode, "until": until.isoformat()}}


def config(mode: str = "", **rule: int) -> dict[str, Any]:
    value: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    if mode:
        value["Rule"] = {"DefaultRetention": {"Mode": mode, **rule}}
    return {"lock": {"value": value}}


# ---------------------------------------------------------------------------- three kinds of answer


def test_a_fresh_bucket_is_known_to_protect_nothing() -> None:
    found = place()
    assert (found.versioned, found.immutable, found.encrypted) == (False, False, False)
    assert (found.public, found.replicated, found.expires_days) == (False, False, None)
    assert (found.remote, found.deletable) == (True, None)
    assert set(found.unseen) == {"deletable"}
    assert found.location == "s3://hk-backups/db (s3.hanoi.example)"
    assert found.notes == ("object_acls_unseen",)


FIELDS = {
    "versioning": "versioned",
    "lock": "immutable",
    "encryption": "encrypted",
    "policy": "public",
    "lifecycle": "expires_days",
    "replication": "replicated",
}


@pytest.mark.parametrize(("question", "field"), FIELDS.items())
@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ({"code": "AccessDenied", "kind": "denied", "detail": "no"}, FailureKind.DENIED),
        ({"code": "NotImplemented", "kind": "missing_tool"}, FailureKind.MISSING_TOOL),
        ({"code": "MethodNotAllowed", "kind": "missing_tool"}, FailureKind.MISSING_TOOL),
        ({"code": "500", "kind": "command_failed"}, FailureKind.COMMAND_FAILED),
        ({"code": "", "kind": "timeout", "detail": "no answer"}, FailureKind.TIMEOUT),
        ({"value": {}}, FailureKind.UNPARSABLE),
        ({"value": None}, FailureKind.UNPARSABLE),
        ({"value": [1]}, FailureKind.UNPARSABLE),
        ({"code": "Odd", "kind": "no-such-kind"}, FailureKind.COMMAND_FAILED),
    ],
)
def test_what_is_no_answer_names_the_right(
    question: str, field: str, line: dict[str, Any], kind: FailureKind
) -> None:
    found = place({question: line})
    assert getattr(found, field) is None
    assert found.unseen[field].kind is kind
    assert RIGHTS[question] in found.unseen[field].detail


@pytest.mark.parametrize("question", FIELDS)
def test_a_question_that_was_not_asked_in_time(question: str) -> None:
    told = bare()
    del told[question]
    (found,) = read(told).repositories
    assert found.unseen[FIELDS[question]].kind is FailureKind.TIMEOUT


def test_a_refused_visit_hides_no_object() -> None:
    denied = Failure(kind=FailureKind.DENIED, detail="bucket b: …")
    series = read(denied, locks=denied)
    assert len(series.points) == 1
    (found,) = series.repositories
    assert {f: found.unseen[f] for f in FIELDS.values()} == dict.fromkeys(FIELDS.values(), denied)


# ---------------------------------------------------------------------------------- versions, locks


@pytest.mark.parametrize(
    ("status", "versioned", "notes"),
    [("Enabled", True, ()), ("Suspended", False, ("versioning_suspended",)), ("", False, ())],
)
def test_suspended_is_not_enabled(status: str, versioned: bool, notes: tuple[str, ...]) -> None:
    value = {"Status": status} if status else {}
    found = place({"versioning": {"value": value, "root": "VersioningConfiguration"}})
    assert found.versioned is versioned
    assert found.notes[: len(notes)] == notes


def test_an_empty_answer_says_never_only_when_it_answers_that_question() -> None:
    found = place({"versioning": {"value": {}, "root": "ListBucketResult"}})
    assert found.versioned is None
    assert found.unseen["versioned"].kind is FailureKind.UNPARSABLE


@pytest.mark.parametrize(
    ("told", "locks", "immutable", "days", "deletable", "note"),
    [
        (config("COMPLIANCE", Days=30), (), True, 30, False, None),
        (config("COMPLIANCE", Years=1), (), True, 365, False, None),
        (config("GOVERNANCE", Days=30), (), True, 30, None, "lock_governance"),
        (config("COMPLIANCE", Days=0), (), False, None, None, "lock_without_rule"),
        (config("", Days=9), (), False, None, None, "lock_without_rule"),
        (config(), (), False, None, None, "lock_without_rule"),
        (config(), (lock(**held(20)),), True, 20, False, "lock_by_object"),
        (config(), (lock(**held(20, "GOVERNANCE")),), True, 20, None, "lock_governance"),
        (config(), (lock(**held(0.1)),), False, None, None, "lock_without_rule"),
        (
            config(),
            (lock(**held(20)), lock("db/b", code="NoSuchObjectLockConfiguration")),
            False,
            None,
            None,
            "lock_without_rule",
        ),
        (
            config("COMPLIANCE", Days=30),
            (lock(code="NoSuchObjectLockConfiguration"),),
            False,
            None,
            None,
            "lock_rule_too_young",
        ),
        # moto answers 500 for a copy that only the rule locks: not known, and not held against it.
        (
            config("COMPLIANCE", Days=30),
            (lock(code="500", kind="command_failed"),),
            True,
            30,
            False,
            None,
        ),
    ],
)
def test_a_lock_counts_by_its_rule_or_by_every_new_object(
    told: dict[str, Any],
    locks: tuple[dict[str, Any], ...],
    immutable: bool,
    days: float | None,
    deletable: bool | None,
    note: str | None,
) -> None:
    found = place(told, locks=locks)
    assert (found.immutable, found.immutable_days, found.deletable) == (immutable, days, deletable)
    assert note is None or note in found.notes


def test_locks_of_objects_that_may_not_be_read_are_not_known() -> None:
    refused = {"code": "AccessDenied", "kind": "denied", "detail": "no"}
    found = place(config(), locks=(lock(**refused),))
    assert found.immutable is None
    assert "s3:GetObjectRetention" in found.unseen["immutable"].detail
    lost = Failure(kind=FailureKind.TIMEOUT, detail="late")
    assert place(config(), locks=lost).unseen["immutable"] == lost


def test_a_copy_carries_the_end_of_its_own_lock() -> None:
    (point,) = read({**bare(), **config()}, locks=(lock(**held(20)),)).points
    assert point.locked_until == dt.datetime(2026, 12, 12, 2, tzinfo=dt.UTC)
    # Another version under the same key is another copy.
    other = lock(**held(20)) | {"last_modified": "2026-11-21T02:00:00Z"}
    (point,) = read({**bare(), **config()}, locks=(other,)).points
    assert point.locked_until is None


def test_a_second_factor_keeps_the_host_from_deleting() -> None:
    value = {"Status": "Enabled", "MFADelete": "Enabled"}
    assert place({"versioning": {"value": value}}).deletable is False


def test_delete_markers_hide_copies_that_are_still_there() -> None:
    gone = {"key": "db/b", "deleted": STORED, "stored": "2026-11-21T02:00:00Z", "bytes": 1}
    assert place(hidden=(gone,)).notes[-1] == "delete_markers"
    locked = {**gone, **held(20)}
    assert place(hidden=(locked,)).notes[-1] == "delete_markers_hide_locked"


# ----------------------------------------------------------------------------- encryption, readers


def test_encryption_needs_an_algorithm() -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    assert place({"encryption": {"value": {"Rules": [rule]}}}).encrypted is True
    nothing: list[dict[str, Any]] = [{"Rules": []}, {"Rules": [{}]}, {}]
    for empty in nothing:
        assert place({"encryption": {"value": empty}}).encrypted is None


def test_copies_encrypted_by_their_writer_are_not_called_plain() -> None:
    assert place(keys=("db/a.dump.gpg", "db/b.age")).encrypted is None
    assert place(keys=("db/a.dump.gpg", "db/b.dump")).encrypted is False


def grant(permission: str = "READ") -> dict[str, Any]:
    granted = {"type": "Group", "uri": EVERYBODY, "permission": permission}
    return {"acl": {"value": [*OWNER, granted]}}


OPEN = {"policy": {"value": {"IsPublic": True}}}
CLOSED = {"policy": {"value": {"IsPublic": False}}}
BLOCK = {"public_block": {"value": SHUT}}
OWNED = {"ownership": {"value": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}}
DENIED = {"code": "AccessDenied", "kind": "denied", "detail": "no"}


@pytest.mark.parametrize(
    ("told", "public"),
    [
        (OPEN, True),
        (CLOSED, False),
        (OPEN | BLOCK, False),
        (OPEN | {"public_block": {"value": SHUT | {"RestrictPublicBuckets": False}}}, True),
        (OPEN | {"public_block": {"value": {}}}, True),
        (grant(), True),
        (grant() | BLOCK, False),
        (grant() | OWNED, False),
        (BLOCK | {"policy": DENIED, "acl": DENIED}, False),
        ({"policy": DENIED}, None),
        ({"acl": DENIED}, None),
        ({"acl": DENIED} | OWNED, False),
        ({"acl": {"value": []}}, None),
        ({"policy": {"value": {}}}, None),
        ({"policy": DENIED} | grant(), True),
    ],
)
def test_closed_only_when_policy_and_rights_are_both_closed(
    told: dict[str, Any], public: bool | None
) -> None:
    found = place(told)
    assert found.public is public
    assert ("public" in found.unseen) is (public is None)


def test_everybody_may_write_and_so_delete() -> None:
    assert place(grant("WRITE")).deletable is True
    assert place(grant("READ")).deletable is None
    assert place(grant("WRITE") | BLOCK).deletable is None


# -------------------------------------------------------------------------------------- lifecycle


def rule(prefix: str = "db/", **more: Any) -> dict[str, Any]:
    return {"Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": {"Days": 7}, **more}


OLDER: dict[str, Any] = {"NoncurrentVersionExpiration": {"NoncurrentDays": 3}}


@pytest.mark.parametrize(
    ("rules", "days"),
    [
        ([rule()], 7),
        ([rule(""), rule(Expiration={"Days": 5})], 5),
        ([rule(Status="Disabled")], None),
        ([rule("other/")], None),
        ([rule("db/a-")], 7),
        ([rule("db/b-")], None),
        ([{"Status": "Enabled", "Prefix": "db", "Expiration": {"Days": 9}}], 9),
        ([rule(Filter={"And": {"Prefix": "db/", "ObjectSizeGreaterThan": 1000}})], None),
        ([rule(Filter={"And": {"Prefix": "db/", "ObjectSizeLessThan": 1000}})], 7),
        ([rule(Filter={"And": {"Prefix": "x/", "ObjectSizeLessThan": 1000}})], None),
        ([rule(Expiration={"ExpiredObjectDeleteMarker": True})], None),
        ([rule(Expiration={}, **OLDER)], None),
    ],
)
def test_which_rules_delete_the_copies(rules: list[dict[str, Any]], days: float | None) -> None:
    found = place({"lifecycle": {"value": rules}})
    assert found.expires_days == days
    assert "expires_days" not in found.unseen


def test_older_versions_are_the_copies_where_one_name_is_written_over() -> None:
    told = {
        "lifecycle": {"value": [rule(Expiration={}, **OLDER)]},
        "versioning": {"value": {"Status": "Enabled"}},
    }
    assert place(told, keys=("db/nightly.dump",)).expires_days == 3
    dated = place(told)
    assert (dated.expires_days, "noncurrent_expires" in dated.notes) == (None, True)
    never = told | {"versioning": bare()["versioning"]}
    assert place(never, keys=("db/nightly.dump",)).expires_days is None


def test_a_rule_by_tag_perhaps_deletes() -> None:
    tagged = rule(Filter={"Tag": {"Key": "k", "Value": "v"}})
    found = place({"lifecycle": {"value": [tagged]}})
    assert found.expires_days is None
    assert "s3:GetObjectTagging" in found.unseen["expires_days"].detail
    assert place({"lifecycle": {"value": [tagged, rule()]}}).expires_days == 7


# ------------------------------------------------------------------------------------- elsewhere


def sends(**more: Any) -> dict[str, Any]:
    destination = {"Bucket": "arn:aws:s3:::hk-second"}
    found = {"Status": "Enabled", "Filter": {"Prefix": ""}, "Destination": destination, **more}
    return {"replication": {"value": {"Rules": [found]}}}


def test_a_replication_rule_is_no_proof_that_copies_arrive() -> None:
    found = place(sends())
    assert found.replicated is None
    assert "hk-second" in found.unseen["replicated"].detail
    assert place(sends(Status="Disabled")).replicated is False
    assert place(sends(Filter={"Prefix": "x/"})).replicated is False


@pytest.mark.parametrize(
    ("endpoint", "lies", "remote"),
    [
        ("", "b", True),
        ("https://s3.hanoi.example", "b", True),
        ("http://10.0.7.9:9000", "store", True),
        ("http://10.0.7.1:9000", "h", False),
        ("http://h:9000", "h", False),
        ("http://127.0.0.1:9000", "", None),
        ("http://localhost:9000", "", None),
        ("http://[::1]:9000", "", None),
    ],
)
def test_a_store_on_the_server_that_it_protects(
    endpoint: str, lies: str, remote: bool | None
) -> None:
    found = place(endpoint=endpoint)
    assert (found.server, found.remote) == (lies, remote)
    assert ("remote" in found.unseen) is (remote is None)


# --------------------------------------------------------------------------------------- hostile


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=80),
        st.dictionaries(
            st.sampled_from(sorted(RIGHTS)),
            st.fixed_dictionaries(
                {
                    "value": st.recursive(
                        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
                        lambda inner: (
                            st.lists(inner, max_size=3)
                            | st.dictionaries(
                                st.sampled_from(["Rules", "Status", "Days", "Filter", "IsPublic"]),
                                inner,
                                max_size=3,
                            )
                        ),
                        max_leaves=6,
                    )
                }
            ),
        ),
    ),
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-22", 5]),
)
def test_any_answer_is_a_repository_or_unparsable(told: dict[str, Any] | bytes, until: Any) -> None:
    locks = ({"key": "db/a", "last_modified": until, "value": {"mode": "X", "until": until}},)
    try:
        (found,) = read(told, locks=locks).repositories
    except Unparsable:
        return
    assert all(f.detail for f in found.unseen.values())


# -------------------------------------------------------------------------------------- recorded


EVIDENCE = Path(__file__).parents[2] / "fixtures" / "evidence"
TAKEN = dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC)


def recorded(case: str) -> BackupSeries:
    """The series of what a real store answered."""
    evidence = [
        Evidence(
            probe=probe.id,
            target="b",
            key="",
            taken=TAKEN,
            stdout=(EVIDENCE / probe.id / case / "stdout").read_bytes(),
        )
        for probe in (OBJECTS, UPLOADS, PROTECTION, LOCKS, MARKERS)
        if (EVIDENCE / probe.id / case).exists()
    ]
    context = Context(now=TAKEN, zone=UTC, legal_basis=2026, subject=subject())
    return SERIES.parse(context, Answers(evidence))


@pytest.mark.parametrize(
    ("case", "known", "notes"),
    [
        ("seaweedfs-plain", (False, False, False, False, False, None, None), ()),
        (
            "seaweedfs-sealed",
            (True, True, True, False, False, False, 90),
            ("noncurrent_expires", "delete_markers", "delete_markers_hide_locked"),
        ),
        ("rclone", (False, None, None, None, None, None, None), ()),
    ],
)
def test_what_real_stores_answered(
    case: str, known: tuple[bool | float | None, ...], notes: tuple[str, ...]
) -> None:
    series = recorded(case)
    (found,) = series.repositories
    assert (
        found.versioned,
        found.immutable,
        found.encrypted,
        found.public,
        found.replicated,
        found.deletable,
        found.expires_days,
    ) == known
    assert found.notes == notes
    states = [p.state for p in series.points]
    running = [PointState.RUNNING] if case == "seaweedfs-sealed" else []
    assert states == [PointState.OK, *running]


def test_a_store_on_the_protected_server_is_no_separate_copy() -> None:
    for endpoint, own_host in (("http://10.0.7.1:9000", True), ("http://10.0.7.9:9000", False)):
        context = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject(endpoint))
        (found,) = places_of(context, read(bare(), endpoint=endpoint))
        assert found.own_host is own_host
    blind = "http://127.0.0.1:9000"
    context = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject(blind))
    (found,) = places_of(context, read(bare(), endpoint=blind))
    assert found.own_host is None
    assert found.unseen is not None
    assert "127.0.0.1" in found.unseen.detail
