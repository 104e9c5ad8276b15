"""What is dangerous in YAML is refused, with its line."""

from __future__ import annotations

import pytest
import yaml

from inventory import yaml_nodes
from inventory.yaml_nodes import Mapping, Scalar, Sequence, line_of, read_nodes


def messages(data: bytes) -> list[str]:
    return [f"{p.line}: {p.message}" for p in read_nodes(data, "f.yaml").problems]


def test_reads_documents_with_lines_and_quotes() -> None:
    parsed = read_nodes(b'a: 1\nb: ["2", x]\n---\nc\n', "f.yaml")
    assert parsed.problems == []
    assert parsed.documents == [
        Mapping(
            1,
            [
                (Scalar(1, "a", True), Scalar(1, "1", True)),
                (
                    Scalar(2, "b", True),
                    Sequence(2, [Scalar(2, "2", False), Scalar(2, "x", True)]),
                ),
            ],
        ),
        Scalar(4, "c", True),
    ]


def test_a_byte_order_mark_is_accepted() -> None:
    parsed = read_nodes("\ufeffa: ộ".encode(), "f.yaml")
    assert parsed.documents == read_nodes("a: ộ".encode(), "f.yaml").documents
    assert parsed.problems == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252", "utf-32"])
def test_other_encodings_are_refused(encoding: str) -> None:
    data = "a: 1\nname: phô".encode(encoding)
    parsed = read_nodes(data, "f.yaml")
    assert parsed.broken
    assert len(parsed.problems) == 1
    message = parsed.problems[0].message
    # UTF-16 of plain letters is valid UTF-8 full of NULs; YAML refuses those.
    assert "UTF-8" in message or "control characters" in message


def test_the_line_of_a_wrong_byte_is_named() -> None:
    assert messages(b"a: 1\nb: \xff\n") == ["2: is not UTF-8 text: save it as UTF-8"]


def test_double_keys_name_both_lines() -> None:
    assert messages(b"a: 1\nb: 2\na: 3\n") == [
        "3: the key 'a' stands twice (first in line 1): keep one"
    ]


def test_a_billion_laughs_costs_one_line() -> None:
    laughs = b"a: &a [x, x]\n" + b"".join(
        b"%c: &%c [*%c, *%c, *%c]\n" % (c + 1, c + 1, c, c, c) for c in range(97, 120)
    )
    assert messages(laughs) == [
        "1: anchors (&) and aliases (*) are not allowed: write the value out"
    ]


def test_an_anchor_alone_is_refused() -> None:
    assert messages(b"x: &name value") == [
        "1: anchors (&) and aliases (*) are not allowed: write the value out"
    ]


@pytest.mark.parametrize("text", [b"/srv/pg/*.dump", b"'0 2 * * *'", b"R&D", b"a & b", b'"*x"'])
def test_stars_and_ampersands_in_text_are_text(text: bytes) -> None:
    assert messages(b"x: " + text) == []


@pytest.mark.parametrize(
    ("data", "tag"),
    [
        (b"!!python/object/apply:os.system [x]", "tag:yaml.org,2002:python/object/apply:os.system"),
        (b"a: !!int '5'", "tag:yaml.org,2002:int"),
        (b"a: !mine {}", "!mine"),
    ],
)
def test_tags_are_refused(data: bytes, tag: str) -> None:
    assert messages(data) == [f"1: the tag '{tag}' is not allowed: remove it"]


@pytest.mark.parametrize("data", [b"[" * 300_000, b"- " * 300_000, b"{a: " * 200_000])
def test_deep_nesting_is_refused_before_anything_recurses(data: bytes) -> None:
    assert messages(data) == ["1: is nested more than 32 levels deep: no inventory is"]


def test_a_large_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_nodes, "MAX_BYTES", 10)
    assert read_nodes(b"a: 1234567", "f.yaml").problems == []
    assert "split it into several files" in messages(b"a: 12345678")[0]


def test_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_nodes, "MAX_NODES", 100)
    assert messages(b"- x\n" * 99) == []
    assert messages(b"- x\n" * 100) == [
        "100: holds more than 100 values: split it into several files"
    ]


def test_keys_must_be_text() -> None:
    assert messages(b"? [a, b]\n: 1\n") == ["1: a key must be plain text, not a list or a mapping"]


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"a: 1\nb: [\n", 2, "is not valid YAML"),
        (b"a: 1\n\tb: 2\n", 2, "indent with spaces, not tabs"),
        (b"a: b: c", 1, "mapping values are not allowed"),
        (b"a: 1\nb: \x07", 2, "control characters are not allowed"),
        (b"%YAML 9.0\n---\na", 1, "incompatible"),
    ],
)
def test_syntax_errors_have_their_line(data: bytes, line: int, words: str) -> None:
    parsed = read_nodes(data, "f.yaml")
    assert parsed.broken
    (problem,) = parsed.problems
    assert problem.line == line
    assert words in problem.message
    assert "\n" not in str(problem)


def test_documents_before_a_syntax_error_are_kept() -> None:
    parsed = read_nodes(b"a: 1\n---\nb: [\n", "f.yaml")
    assert parsed.broken
    assert len(parsed.documents) == 1


def test_line_of_goes_as_deep_as_the_path_leads() -> None:
    (root,) = read_nodes(b"a:\n  b:\n    - x\n    - y\n", "f").documents
    assert line_of(root, ("a", "b", 1)) == 4
    assert line_of(root, ("a", "b", 7)) == 2
    assert line_of(root, ("a", "zzz")) == 1
    assert line_of(root, ()) == 1


def test_the_loader_without_c_refuses_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [
        b"a: [1, '2']\nb: {c: d}\n---\nx",
        b"a: &x [b]\nc: *x\na: 1",
        b"a: !!int 1",
        b"[" * 40,
        b"\xff",
        b"\xef\xbb\xbfa: 1\r\nb: 2\r\n",
    ]
    fast = [read_nodes(data, "f") for data in cases]
    monkeypatch.setattr(yaml_nodes, "_LOADER", yaml.SafeLoader)
    assert [read_nodes(data, "f") for data in cases] == fast
    parsed = read_nodes(b"a: 1\nb: \x07", "f")
    assert [p.line for p in parsed.problems] == [2]
    assert parsed.broken


def test_lines_count_with_windows_line_ends() -> None:
    (root,) = read_nodes(b"a: 1\r\nb: 2\r\n", "f").documents
    assert root == Mapping(
        1,
        [
            (Scalar(1, "a", True), Scalar(1, "1", True)),
            (Scalar(2, "b", True), Scalar(2, "2", True)),
        ],
    )
