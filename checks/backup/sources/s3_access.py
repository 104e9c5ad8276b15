"""Who may read and write a bucket without being asked who they are."""

from __future__ import annotations

import msgspec

from checks.backup.sources.s3_answers import Facts, Field, Told, says_nothing

_EVERYBODY = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)


class _Block(msgspec.Struct, frozen=True, rename="pascal"):
    ignore_public_acls: bool | None = None
    restrict_public_buckets: bool | None = None
    block_public_acls: bool | None = None
    block_public_policy: bool | None = None


class _Policy(msgspec.Struct, frozen=True, rename="pascal"):
    is_public: bool | None = None


class _Grant(msgspec.Struct, frozen=True):
    uri: str = ""
    permission: str = ""


class _OwnershipRule(msgspec.Struct, frozen=True, rename="pascal"):
    object_ownership: str = ""


class _Ownership(msgspec.Struct, frozen=True, rename="pascal"):
    rules: tuple[_OwnershipRule, ...] = ()


def acls_shut(facts: Facts) -> bool:
    """Whether lists of rights cannot open this bucket or any object in it."""
    block = facts.told("public_block", _Block).value
    owner = facts.told("ownership", _Ownership).value
    return bool(block and block.ignore_public_acls) or bool(
        owner and any(r.object_ownership == "BucketOwnerEnforced" for r in owner.rules)
    )


def public(facts: Facts) -> Field:
    """Open to everybody by policy or by rights; closed only when both are surely closed."""
    block = facts.told("public_block", _Block)
    policy, acl = _by_policy(facts, block), _by_acl(facts)
    if policy.value or acl.value:
        notes = (*policy.notes, *acl.notes)
        return Field(value=True, notes=notes)
    unseen = policy.unseen or acl.unseen
    if unseen is not None:
        return Field(unseen=unseen)
    return Field(value=False, notes=() if acls_shut(facts) else ("object_acls_unseen",))


def _by_policy(facts: Facts, block: Told[_Block]) -> Field:
    if block.value is not None and block.value.restrict_public_buckets:
        return Field(value=False)
    told = facts.told("policy", _Policy)
    if told.failure is not None:
        return Field(unseen=told.failure)
    if told.value is None:
        return Field(value=False)
    if told.value.is_public is None:
        return Field(unseen=says_nothing("policy"))
    return Field(value=told.value.is_public, notes=("policy_public",) * told.value.is_public)


def _by_acl(facts: Facts) -> Field:
    if acls_shut(facts):
        return Field(value=False)
    told = facts.told("acl", tuple[_Grant, ...])
    if told.failure is not None:
        return Field(unseen=told.failure)
    if not told.value:
        # The owner always has a grant: a list without any is no list.
        return Field(unseen=says_nothing("acl"))
    everybody = any(g.uri in _EVERYBODY for g in told.value)
    return Field(value=everybody, notes=("acl_public",) * everybody)


def world_writes(facts: Facts) -> bool:
    """Whether a list of rights lets everybody write, and so delete."""
    grants = facts.told("acl", tuple[_Grant, ...]).value or ()
    return not acls_shut(facts) and any(
        g.uri in _EVERYBODY and g.permission in ("WRITE", "FULL_CONTROL") for g in grants
    )
