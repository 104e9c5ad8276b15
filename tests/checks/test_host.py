"""The clock and identity probes: what odd hosts answer, and what is judged of it."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import Answers, Evidence, FailureKind, Need, Unparsable
from checks.model import Context, Scope, Severity, Status, Subject, Verdict
from checks.probes.checks import ClockOptions, host_clock
from checks.probes.host import (
    CLOCK,
    HOST_CLOCK,
    HOST_IDENTITY_IF_SEEN,
    IDENTITY,
    HostClock,
    HostIdentity,
    read_clock,
    read_identity,
)
from inventory.model import Inventory, Server, Unit, UnitKind

TAKEN = dt.datetime(2026, 11, 21, 2, 0, 0, tzinfo=dt.UTC)
EPOCH = int(TAKEN.timestamp())
UNIT = Unit(id="u", name="U", kind=UnitKind.WARD)
SERVER = Server(id="s", unit="u", address="127.0.0.1")
SUBJECT = Subject(
    scope=Scope.SERVER,
    inventory=Inventory(units={"u": UNIT}, servers={"s": SERVER}),
    unit=UNIT,
    target="s",
    server=SERVER,
)


def said(text: str | bytes, seconds: float = 0.0, probe: str = "host.clock") -> Evidence:
    raw = text if isinstance(text, bytes) else text.encode()
    return Evidence(probe=probe, target="s", key=probe, taken=TAKEN, stdout=raw, seconds=seconds)


def clock(
    epoch: str = f"{EPOCH}.000000000", offset: str = "+0700", seconds: float = 0.0, **more: Any
) -> HostClock:
    lines = [f"epoch={epoch}", f"offset={offset}", *(f"{k}={v}" for k, v in more.items())]
    return read_clock(said("\n".join(lines), seconds))


def test_a_linux_host() -> None:
    found = clock(f"{EPOCH + 5}.500000000", localtime="/usr/share/zoneinfo/Asia/Ho_Chi_Minh")
    assert found.skew == pytest.approx(5.5)
    assert found.uncertainty == 0
    assert found.offset == dt.timedelta(hours=7)
    assert found.zone == "Asia/Ho_Chi_Minh"


def test_the_answer_was_made_somewhere_between_sending_and_taking() -> None:
    found = clock(f"{EPOCH - 5}.0", seconds=10)
    assert (found.skew, found.uncertainty) == (0, 5)


@pytest.mark.parametrize("fraction", ["", ".", ".N", ".%N"])
def test_a_date_without_nanoseconds_is_the_middle_of_its_second(fraction: str) -> None:
    found = clock(f"{EPOCH}{fraction}")
    assert (found.skew, found.uncertainty) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("zone", "offset", "wanted"),
    [
        ({"localtime": "/usr/share/zoneinfo/Asia/Ho_Chi_Minh"}, "+0700", "Asia/Ho_Chi_Minh"),
        ({"localtime": "../usr/share/zoneinfo/Asia/Ho_Chi_Minh"}, "+0700", "Asia/Ho_Chi_Minh"),
        ({"localtime": "/var/db/timezone/zoneinfo/Asia/Bangkok"}, "+0700", "Asia/Bangkok"),
        ({"localtime": "/usr/share/zoneinfo/posix/Asia/Bangkok"}, "+0700", "Asia/Bangkok"),
        ({"localtime": "", "timezone": "Asia/Bangkok"}, "+0700", "Asia/Bangkok"),
        ({"localtime": "/etc/somewhere", "timezone": "Asia/Bangkok"}, "+0700", "Asia/Bangkok"),
        ({"localtime": "", "timezone": ""}, "+0000", ""),
        ({}, "+0700", ""),
        # TZ of the session is in force, whatever the files say.
        ({"tz": "Asia/Bangkok", "localtime": "/x/zoneinfo/Etc/UTC"}, "+0700", "Asia/Bangkok"),
        ({"tz": ":Asia/Bangkok"}, "+0700", "Asia/Bangkok"),
        ({"tz": "ICT-7", "timezone": "Asia/Bangkok"}, "+0700", ""),
        # A stale /etc/timezone disagrees with the offset.
        ({"timezone": "Europe/Paris"}, "+0700", ""),
        # Names that are no zone, or no place.
        ({"timezone": "Asia/Atlantis"}, "+0700", ""),
        ({"timezone": "Asia"}, "+0700", ""),
        ({"timezone": "right/Asia/Bangkok"}, "+0700", ""),
        ({"localtime": "/usr/share/zoneinfo/localtime"}, "+0000", ""),
        ({"timezone": "../../etc/passwd"}, "+0700", ""),
        ({"timezone": "/etc/passwd"}, "+0700", ""),
        ({"timezone": "Asia/Bang\x1b[31mkok"}, "+0700", ""),
        ({"timezone": "<script>alert(1)</script>"}, "+0700", ""),
        ({"timezone": "A" * 100_000}, "+0700", ""),
    ],
)
def test_only_a_zone_that_exists_and_fits_is_believed(
    zone: dict[str, Any], offset: str, wanted: str
) -> None:
    assert clock(offset=offset, seconds=0.0, **zone).zone == wanted


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "epoch=\noffset=+0700",
        "epoch=yesterday\noffset=+0700",
        "epoch=-5\noffset=+0700",
        "epoch=1e9\noffset=+0700",
        f"epoch={'9' * 400}\noffset=+0700",
        f"epoch={EPOCH}",
        f"epoch={EPOCH}\noffset=",
        f"epoch={EPOCH}\noffset=+9900",
        f"epoch={EPOCH}\noffset=+0799",
        f"epoch={EPOCH}\noffset=ICT",
        "epoch=١٧٩٥٢٢٧٢٠٠\noffset=+0700",
    ],
)
def test_an_answer_without_time_or_offset_is_unparsable(answer: str) -> None:
    with pytest.raises(Unparsable):
        read_clock(said(answer))


def test_the_complaint_is_harmless_to_show() -> None:
    with pytest.raises(Unparsable) as e:
        read_clock(said("epoch=\x1b]0;owned\x07" + "x" * 5000))
    assert "\x1b" not in str(e.value)
    assert len(str(e.value)) < 200


def test_the_first_line_of_a_key_counts() -> None:
    found = read_clock(said(f"epoch={EPOCH}.0\noffset=+0700\nepoch=0.0\noffset=-0100"))
    assert (found.skew, found.offset) == (0, dt.timedelta(hours=7))


@given(st.binary(max_size=300))
def test_no_bytes_make_the_parsers_do_anything_but_complain(raw: bytes) -> None:
    for parse, name in ((read_clock, CLOCK.id), (read_identity, IDENTITY.id)):
        try:
            parse(said(b"epoch=1\noffset=+0000\nhostname=h\n" + raw, probe=name))
            parse(said(raw, probe=name))
        except Unparsable:
            pass


def test_identity_is_cleaned_and_unquoted() -> None:
    found = read_identity(
        said('hostname=db\x1b[31m1\u202e\nkernel=Linux 6\nos="Debian 12"\nuser=sauro\n')
    )
    assert found == HostIdentity(hostname="db[31m1", kernel="Linux 6", os="Debian 12", user="sauro")


def test_identity_without_a_name_is_unparsable_or_unseen() -> None:
    ctx = judged_in()
    with pytest.raises(Unparsable):
        read_identity(said("kernel=x", probe=IDENTITY.id))
    seen = HOST_IDENTITY_IF_SEEN.parse
    assert seen(ctx, Answers([said("kernel=x", probe=IDENTITY.id)])) is None
    assert seen(ctx, Answers([])) is None


def test_who_answered_is_optional_the_clock_is_not() -> None:
    assert [r.need for r in HOST_CLOCK.requests(SUBJECT)] == [Need.REQUIRED]
    assert [r.need for r in HOST_IDENTITY_IF_SEEN.requests(SUBJECT)] == [Need.OPTIONAL]


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "ksh", "mksh", "busybox"])
def test_the_scripts_run_in_real_shells(shell: str, tmp_path: Path) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    argv, tools = [path], "/usr/bin:/bin"
    if shell == "busybox":
        # With its own tools and no others; its `date` knows no nanoseconds.
        argv, tools = [path, "sh"], str(tmp_path)
        subprocess.run([path, "--install", "-s", tools], check=True)
    for tz, offset in (("", None), ("Asia/Ho_Chi_Minh", dt.timedelta(hours=7))):
        env = {"PATH": tools, "LC_ALL": "C", "TZ": "UTC", "SAURO_TZ": tz}
        out = {}
        for probe in (CLOCK, IDENTITY):
            script = probe.request("s").script
            done = subprocess.run(
                argv, check=False, input=script.encode(), env=env, capture_output=True
            )
            assert (done.returncode, done.stderr) == (0, b"")
            out[probe.id] = done.stdout
        # The clock of this machine is not ours to judge: only that it was read.
        found = read_clock(said(out[CLOCK.id]))
        if offset is not None:
            assert (found.offset, found.zone) == (offset, tz)
        assert read_identity(said(out[IDENTITY.id])).kernel


# ----------------------------------------------------------------------------------- host.clock


def judged_in(**limits: float) -> Context:
    return Context(
        now=TAKEN,
        zone=ZoneInfo("Asia/Ho_Chi_Minh"),
        legal_basis=2026,
        subject=SUBJECT,
        options=ClockOptions(**limits),
    )


def judge(
    skew: float, uncertainty: float = 0.0, who: HostIdentity | None = None, **limits: float
) -> Verdict:
    value = HostClock(
        skew=skew, uncertainty=uncertainty, offset=dt.timedelta(hours=7), zone="Asia/Ho_Chi_Minh"
    )
    (verdict,) = host_clock.judge(judged_in(**limits), value, who)
    assert isinstance(verdict, Verdict)
    return verdict


@pytest.mark.parametrize(
    ("skew", "uncertainty", "status", "severity", "message"),
    [
        (0, 0, "pass", None, "right"),
        (59.9, 0, "pass", None, "right"),
        (-59.9, 0, "pass", None, "right"),
        (60, 0, "fail", "minor", "fast"),
        (-60, 0, "fail", "minor", "slow"),
        (299.9, 0, "fail", "minor", "fast"),
        (300, 0, "fail", "major", "fast"),
        (-86400, 2, "fail", "major", "slow"),
        # Only what holds over the whole range is said.
        (50, 9.9, "pass", None, "right"),
        (50, 10, "unknown", None, "unsure"),
        (65, 10, "unknown", None, "unsure"),
        (70, 10, "fail", "minor", "fast"),
        (305, 10, "fail", "minor", "fast"),
        (310, 10, "fail", "major", "fast"),
        (0, 60, "unknown", None, "unsure"),
        (-5, 1000, "unknown", None, "unsure"),
    ],
)
def test_clock(
    skew: float, uncertainty: float, status: str, severity: str | None, message: str
) -> None:
    found = judge(skew, uncertainty)
    assert (found.status, found.severity) == (status, severity)
    assert found.message.id == f"host.clock.{message}"
    if status == "unknown":
        assert found.failure is not None
        assert found.failure.kind is FailureKind.TIMEOUT


def test_the_limits_are_options() -> None:
    assert judge(5, minor_seconds=1, major_seconds=5).severity is Severity.MAJOR
    assert judge(5, minor_seconds=5.1).status is Status.PASS


@pytest.mark.parametrize(("minor", "major"), [(0, 300), (-1, 300), (60, 59), (60, float("inf"))])
def test_limits_in_the_wrong_order_are_refused(minor: float, major: float) -> None:
    with pytest.raises(ValueError, match="minor_seconds"):
        ClockOptions(minor_seconds=minor, major_seconds=major)


def test_the_detail_says_who_and_how_exactly() -> None:
    who = HostIdentity(hostname="db1", kernel="Linux 6", os="Debian 12", user="sauro")
    assert judge(1.23456, 0.5, who).detail == {
        "skew_seconds": 1.235,
        "uncertainty_seconds": 0.5,
        "offset_minutes": 420,
        "zone": "Asia/Ho_Chi_Minh",
        "hostname": "db1",
        "kernel": "Linux 6",
        "os": "Debian 12",
    }
    assert judge(0).detail["hostname"] is None


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(0.001, 1e5), st.floats(0.001, 1e5))
def test_more_uncertainty_never_brings_a_pass_or_a_graver_failure(
    skew: float, uncertainty: float, more: float, limit: float
) -> None:
    sure = judge(skew, uncertainty, minor_seconds=limit, major_seconds=limit * 5)
    less = judge(skew, uncertainty + more, minor_seconds=limit, major_seconds=limit * 5)
    rank = {Severity.MINOR: 1, Severity.MAJOR: 2, None: 0}
    assert rank[less.severity] <= rank[sure.severity]
    if less.status is Status.PASS:
        assert sure.status is Status.PASS
