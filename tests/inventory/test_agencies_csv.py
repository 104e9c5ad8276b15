"""The agency directory: what offices save, and what is wrong with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.agencies import read_agencies
from inventory.model import Agency


def faults(data: bytes) -> list[str]:
    return [str(p) for p in read_agencies(data, "a.csv")[1]]


FOUND = (
    Agency(
        code="H26.70",
        old_codes=("000.00.70.H26", "H26"),
        name="UBND phường Hoàn Kiếm",
        mail_domains=("hk.example", "hk2.example"),
        signs=("UBND-HK",),
        groups=("các xã", "các sở"),
    ),
    Agency(code="H26.71", name="Phường, khác"),
)


HEAD = "code,old_code,name,mail_domains,signs,groups"

COMMAS = f"""{HEAD}
H26.70,000.00.70.H26;H26,UBND phường Hoàn Kiếm,HK.example; hk2.example,UBND-HK,các xã;các sở
H26.71,,"Phường, khác",,,
"""

SEMICOLONS = """Code;Name;Old_code;Mail_domains;Signs;Groups\r
H26.70;UBND phường Hoàn Kiếm;"000.00.70.H26;H26";"HK.example;hk2.example";UBND-HK;"các xã; các sở"\r
\r
H26.71;Phường, khác;;;;\r
"""


@pytest.mark.parametrize("text", [COMMAS, SEMICOLONS])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_commas_semicolons_and_byte_order_marks(text: str, mark: bytes) -> None:
    assert read_agencies(mark + text.encode(), "a.csv") == (FOUND, [])


def test_only_the_code_is_needed() -> None:
    assert read_agencies(b"code\nA\n", "a.csv") == ((Agency(code="A"),), [])


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", [f"a.csv:1: code: this column is missing: begin with {HEAD}"]),
        ("code,cod\nA,B\n", ["a.csv:1: unknown column 'cod'; did you mean 'code'?"]),
        (
            "code,zzz\nA,B\n",
            [f"a.csv:1: unknown column 'zzz'; the columns are {HEAD.replace(',', ', ')}"],
        ),
        ("code,code\nA,B\n", ["a.csv:1: code: this column stands twice: keep one"] * 2),
        ("code\nA\n\nA\n", ["a.csv:4: code: 'A' stands twice (first in line 2): keep one"]),
        ("code,name\n,x\n", ["a.csv:2: code: is empty: fill it in"]),
        (
            "code,name\nA,b,c\n",
            ["a.csv:2: has 3 fields, the header 2: quote values that hold separators"],
        ),
        (
            'code,name\nA,"two\nlines"\n,x\n',
            ["a.csv:4: code: is empty: fill it in"],
        ),
        (
            f"code,name\nA,{'x' * 10_001}\nB,y\n",
            ["a.csv:2: name: is too long: a quote may be missing"],
        ),
        (
            'code,name\nA,"open\n',
            ["a.csv:2: is not valid CSV (unexpected end of data): correct it"],
        ),
    ],
)
def test_faults_have_their_line(text: str, messages: list[str]) -> None:
    assert faults(text.encode()) == messages


def test_other_encodings_are_refused() -> None:
    assert faults("code,name\nA,x\nB,phô\n".encode("cp1252")) == [
        "a.csv:3: is not UTF-8 text: save it as CSV UTF-8"
    ]
    assert faults("code\nA\n".encode("utf-16")) == [
        "a.csv:1: is not UTF-8 text: save it as CSV UTF-8"
    ]


def test_a_missing_quote_does_not_swallow_the_file() -> None:
    rows = "".join(f"A{n},name\n" for n in range(5000))
    assert faults(f'code,name\nX,"no end\n{rows}'.encode())


@given(
    st.one_of(
        st.binary(), st.text().map(str.encode), st.text(alphabet='code,;"\n\rA ').map(str.encode)
    )
)
def test_no_bytes_break_it(data: bytes) -> None:
    agencies, problems = read_agencies(data, "a.csv")
    assert problems or all(a.code for a in agencies)
