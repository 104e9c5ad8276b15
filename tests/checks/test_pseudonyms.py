"""Keyed hashes of addresses: one for every way to write an address, none without the key."""

from __future__ import annotations

import hashlib
import hmac
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.pseudonyms import KEY_BYTES, MORE, MOST, Pseudonyms, bounded, normal
from tests.helpers.correspondence import PATIENT

ONE, OTHER = Pseudonyms(b"1" * KEY_BYTES), Pseudonyms(b"2" * KEY_BYTES)
_BESIDE = st.text(alphabet=" \t\r\n<>\ufeff\u00a0", max_size=6)
_ADDRESSES = st.binary(max_size=40) | st.text(max_size=20).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
_PLAIN = st.text(alphabet="abcxyzđơ0129.+_-'@", min_size=1, max_size=30)


@PATIENT
@given(_ADDRESSES)
def test_what_is_normal_stays_so(address: bytes) -> None:
    assert normal(normal(address)) == normal(address)


@PATIENT
@given(_PLAIN, _BESIDE, _BESIDE, st.lists(st.booleans(), min_size=30, max_size=30))
def test_every_way_to_write_an_address_has_one_hash(
    plain: str, before: str, after: str, upper: list[bool]
) -> None:
    mixed = "".join(
        c.upper() if up and c.upper().lower() == c else c
        for c, up in zip(plain, upper, strict=False)
    )
    assert normal(f"{before}{mixed}{after}".encode()) == plain.encode()
    assert ONE.of(f"{before}{mixed}{after}".encode()) == ONE.of(plain.encode())


@PATIENT
@given(_PLAIN, _PLAIN)
def test_other_addresses_have_other_hashes(one: str, other: str) -> None:
    assert (ONE.of(one.encode()) == ONE.of(other.encode())) == (one == other)


def test_what_follows_a_plus_and_dots_make_another_address() -> None:
    written = (b"an@gmail.com", b"an+1@gmail.com", b"a.n@gmail.com", b"an@googlemail.com")
    assert len({ONE.of(a) for a in written}) == 4


def test_bytes_that_are_no_text_stay_apart() -> None:
    assert ONE.of(b"\xff@x.vn") != ONE.of(b"\xfe@x.vn")


def test_a_hash_is_the_start_of_a_keyed_one() -> None:
    whole = hmac.digest(b"1" * 32, b"an@gmail.com", hashlib.sha256).hex()
    assert ONE.of(b" <An@Gmail.com>\n") == whole[:16]
    assert OTHER.of(b"an@gmail.com") != ONE.of(b"an@gmail.com")


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonyms(b"k" * length)


def test_no_value_shows_the_key() -> None:
    made = Pseudonyms(b"canary" * 5 + b"!!")
    assert "canary" not in f"{made!r} {made}"
    for encode in (msgspec.json.encode, msgspec.msgpack.encode, json.dumps):
        with pytest.raises(TypeError):
            encode(made)


@PATIENT
@given(st.lists(st.integers(0, 300).map(lambda n: f"{n:016x}"), max_size=250), st.booleans())
def test_many_hashes_are_cut_and_it_is_said(hashes: list[str], more: bool) -> None:
    found = bounded([*hashes, MORE] if more else hashes)
    whole = sorted(set(hashes))
    assert [h for h in found if h != MORE] == whole[:MOST]
    assert (MORE in found) == (more or len(whole) > MOST)
    assert bounded(found) == found
    assert bounded(iter(found)) == found
