"""Strict YAML into structs: every problem in one go, and never another exception."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Meta

from inventory.decode import MAX_PROBLEMS, decode_yaml
from inventory.problems import InvalidInput
from inventory.schema import UnitDoc


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    count: Annotated[int, Meta(ge=1, le=9)] = 1


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    text: str = ""
    number: int = 0
    share: float = 0.0
    truth: bool = False
    day: dt.date | None = None
    length: dt.timedelta | None = None
    colour: Colour = Colour.RED
    year: Literal[2016, 2026] = 2026
    items: tuple[Inner, ...] = ()
    words: tuple[str, ...] = ()
    things: dict[str, Inner] = {}
    raw: dict[str, dict[str, Any]] = {}
    either: int | str = 0
    secret: Annotated[str, Meta(pattern="^env:", extra={"secret": True, "what": "env:NAME"})] = ""
    other: Inner | None = None
    maybe: int | str | None = 0
    short: Annotated[str, Meta(max_length=3)] = ""
    some: Annotated[tuple[int, ...], Meta(min_length=1)] = (1,)


def read(text: str) -> Thing:
    return decode_yaml(text.encode(), Thing, "f.yaml")


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    return [str(p) for p in caught.value.problems]


def test_reads_every_type() -> None:
    thing = read(
        """
        text: Phường Hoàn Kiếm
        number: -12
        share: 0.5
        truth: true
        day: 2026-03-01
        length: 15m
        colour: green
        year: 2016
        items: [{name: a}, {name: "7", count: 9}]
        words: [x, "y"]
        things: {k-1: {name: b}}
        raw: {backup.recent: {days: 3, share: 0.5, flag: true, word: x, none: ~, list: [1, "1"]}}
        either: x
        other: {name: z}
        """
    )
    assert thing == Thing(
        text="Phường Hoàn Kiếm",
        number=-12,
        share=0.5,
        truth=True,
        day=dt.date(2026, 3, 1),
        length=dt.timedelta(minutes=15),
        colour=Colour.GREEN,
        year=2016,
        items=(Inner(name="a"), Inner(name="7", count=9)),
        words=("x", "y"),
        things={"k-1": Inner(name="b")},
        raw={
            "backup.recent": {
                "days": 3, "share": 0.5, "flag": True, "word": "x", "none": None, "list": [1, "1"],
            }
        },
        either="x",
        other=Inner(name="z"),
    )  # fmt: skip
    assert isinstance(thing.items, tuple)


def test_a_quoted_date_is_a_date_and_null_is_none() -> None:
    assert read('{day: "2026-03-01", other: null}') == Thing(day=dt.date(2026, 3, 1))


def test_unions_take_what_fits_first() -> None:
    for text, value in (("7", 7), ("x", "x"), ("'7'", "7"), ("~", None)):
        assert read(f"maybe: {text}").maybe == value
    assert "not a list" in faults("maybe: [1]")[0]
    assert "put it in quotes" in faults("either: 1.5")[0]


def test_every_problem_is_found_in_one_go() -> None:
    assert faults("txet: x\nnumber: abc\nitems:\n- {}\n- {name: b, count: 10}\ncolour: gren\n") == [
        "f.yaml:1: txet: unknown key; did you mean 'text'?",
        "f.yaml:2: number: expected a whole number like 12, not 'abc'",
        "f.yaml:4: items[0]: the key 'name' is missing: add it",
        "f.yaml:5: items[1].count: 10 is out of range: give a number from 1 to 9",
        "f.yaml:6: colour: 'gren' is not one of: red, green; did you mean 'green'?",
    ]


@pytest.mark.parametrize(
    "word", ["00070", "70", "0x1f", "1e5", "1.10", "1_000", "12:30:45", ".5", "-1", ".inf", "+3"]
)
def test_text_that_looks_like_a_number_must_be_quoted(word: str) -> None:
    assert faults(f"text: {word}") == [
        f'f.yaml:1: text: without quotes YAML reads a number: put it in quotes, like "{word}"'
    ]
    assert read(f'text: "{word}"').text == word


@pytest.mark.parametrize("word", ["yes", "no", "on", "Off", "true", "FALSE"])
def test_text_that_looks_like_a_truth_value_must_be_quoted(word: str) -> None:
    assert "true or false: put it in quotes" in faults(f"text: {word}")[0]


@pytest.mark.parametrize("word", ["2026-01-01", "2026-1-1", "2026-01-01T00:00:00Z"])
def test_text_that_looks_like_a_date_must_be_quoted(word: str) -> None:
    assert "a date: put it in quotes" in faults(f"text: {word}")[0]


@pytest.mark.parametrize("word", ["", "~", "null", "NULL"])
def test_an_empty_value_is_not_text(word: str) -> None:
    assert faults(f"text: {word}") == ["f.yaml:1: text: is empty: fill it in or remove the key"]


@pytest.mark.parametrize(
    "word", ["10.0.7.1", "12/TB-UBND", "~/.ssh/id", "nobody", "1d", "5/QĐ-UBND", "fe80::1", "-x"]
)
def test_text_that_only_begins_like_a_number_is_text(word: str) -> None:
    assert read(f"text: {word}").text == word


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("number: '5'", "write 5 without quotes"),
        ("number: 007", "expected a whole number like 12, not '007'"),
        ("number: 1.5", "expected a whole number like 12, not '1.5'"),
        ("number: 99999999999999999999", "expected a whole number"),
        ("number:", "expected a whole number like 12, not nothing"),
        ("number: [1]", "not a list"),
        ("share: .5", "expected a number like 12 or 0.5, not '.5'"),
        ("share: nan", "expected a number"),
        ("truth: yes", "expected true or false, without quotes, not 'yes'"),
        ("truth: 'true'", "expected true or false, without quotes"),
        ("day: 01/03/2026", "expected a date as YYYY-MM-DD, not '01/03/2026'"),
        ("day: 2026-02-30", "there is no such day as 2026-02-30"),
        ("day: 2026-3-1", "expected a date as YYYY-MM-DD"),
        ("length: 90", "expected a number and a unit: 90s, 15m, 3h, 1d or 2w"),
        ("length: 3 days", "expected a number and a unit"),
        ("year: 2020", "'2020' is not one of: 2016, 2026"),
        ("year: '2026'", "write 2026 without quotes"),
        ("words: x", "expected a list, like [a, b], not text"),
        ("words: {a: b}", "expected a list, like [a, b], not a mapping"),
        ("things: [a]", "expected a mapping (lines of `key: value`), not a list"),
        ("things:", "expected a mapping (lines of `key: value`), not nothing: fill it in"),
        ("items: [x]", "items[0]: expected a mapping"),
        (
            "things: {70: {name: x}}",
            "things.70: without quotes YAML reads a number: put it in quot",
        ),
        ("<<: {text: x}", "<<: unknown key"),
        ('text: "a\\eb"', "holds control characters"),
        ('text: "a\\u202eb"', "holds control characters"),
        ("short: four", "is longer than 3 characters: shorten it"),
        ("some: []", "needs at least 1 entries: add them"),
        ("raw: {x: 1}", "raw.x: expected a mapping"),
        ("raw: {x: {y: 0x10}}", "raw.x.y: expected a number"),
    ],
)
def test_wrong_values_say_what_is_expected(line: str, message: str) -> None:
    found = faults(line)
    assert len(found) == 1
    assert message in found[0]
    assert found[0].startswith("f.yaml:1: ")


@pytest.mark.parametrize("value", ["hunter2", "'hunter2 '", "[hunter2]", "{a: hunter2}", "123456"])
def test_secrets_are_not_repeated(value: str) -> None:
    (found,) = faults(f"secret: {value}")
    assert "env:NAME" in found
    assert "hunter2" not in found
    assert "123456" not in found


def test_a_dollar_does_not_let_a_line_break_pass() -> None:
    class Tight(msgspec.Struct):
        word: Annotated[str, Meta(pattern="^[a-z]+$")]

    with pytest.raises(InvalidInput, match="expected text like"):
        decode_yaml(b'word: "abc\\n"', Tight, "f")


def test_hostile_words_are_cut_and_cleaned_in_messages() -> None:
    (found,) = faults("colour: 'x\u0085" + "y" * 500 + "'")
    assert len(found) < 150
    assert found.isprintable()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "holds no document: exactly one is expected"),
        ("# only words\n", "holds no document"),
        ("text: a\n---\ntext: b\n", "holds several documents (---): exactly one is expected"),
        ("[a]", "expected a mapping"),
        ("just text", "expected a mapping"),
        ("--- \n", "expected a mapping (lines of `key: value`), not nothing"),
    ],
)
def test_exactly_one_mapping_is_expected(data: str, message: str) -> None:
    assert message in faults(data)[0]


def test_what_was_refused_is_not_reported_twice() -> None:
    assert faults("text: &a x\nwords: *a\nother: *a\n") == [
        "f.yaml:1: anchors (&) and aliases (*) are not allowed: write the value out"
    ]


def test_a_flood_of_problems_ends() -> None:
    found = faults("".join(f"k{n}: x\n" for n in range(MAX_PROBLEMS * 3)))
    assert len(found) == MAX_PROBLEMS


def test_a_type_that_cannot_be_read_is_a_fault_of_ours() -> None:
    class Odd(msgspec.Struct):
        data: bytes

    with pytest.raises(TypeError, match="BytesType"):
        decode_yaml(b"data: x", Odd, "f")


def test_a_struct_may_refuse_its_own_values() -> None:
    class Pair(msgspec.Struct):
        low: int
        high: int

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError("low is over high: swap them")

    with pytest.raises(InvalidInput, match="f:1: low is over high: swap them"):
        decode_yaml(b"{low: 2, high: 1}", Pair, "f")


PIECES = r"""
unit: name: kind: servers: systems: backups: waivers: ward '00070' 00070 a: - [ ] { } , & * ! &a
*a !!int | > " ' # ~ null yes 2026-01-01 1d --- ... ? : % @ ` <<: \x every: '0 2 * * *' ssh-ed25519
"""
YAML_PIECES = st.lists(
    st.sampled_from([*PIECES.split(), "\n", "\n ", "\n  - ", "\t", "\ufeff"]), max_size=40
).map(" ".join)


def outcome(data: bytes, kind: type) -> object:
    """What was read, or the complaint; any other exception goes through."""
    try:
        return decode_yaml(data, kind, "f.yaml")
    except InvalidInput as error:
        return error


@given(st.one_of(st.binary(max_size=200), YAML_PIECES.map(str.encode), st.text().map(str.encode)))
@example(b"\x00")
@example(b"\xef\xbb\xbf")
@example(b"\xff\xfeu\x00")
@example("unit: \ud7ff".encode())
@example(b"? ? ? ?")
@example(b"!<tag:x> &a *b")
def test_nothing_but_invalid_input_is_ever_raised(data: bytes) -> None:
    for kind in (UnitDoc, Thing):
        found = outcome(data, kind)
        if isinstance(found, InvalidInput):
            assert found.problems
            assert all(p.message and "\n" not in str(p) for p in found.problems)
        else:
            assert isinstance(found, kind)
