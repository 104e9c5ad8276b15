"""Matching a register with the gateway's list: time and memory, from CSV files to checked sums.

The files are made first and streamed to disk: every row of the register is a document for five
agencies, each with a row on the gateway, some late, refused, without receipt or of another number.
All of it lies within the judged period, which is the worst case.

    python benchmarks/matching.py                                # 1,000,000 and 5,000,000 rows
    python benchmarks/matching.py --documents 10000              # a unit of today
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
import mmap
import multiprocessing
import resource
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from checks.documents.agencies import Directory
from checks.documents.calendar import Calendar
from checks.documents.coverage import Period
from checks.documents.events import DocumentEvents
from checks.documents.matching import match
from checks.documents.packed import Joined
from checks.documents.pairs import Rules
from checks.documents.sources.gateway import read_gateway
from checks.documents.sources.register import read_register
from checks.files import FileEntry
from inventory.model import Agency, Documents, Inventory, Unit, UnitKind

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
START = dt.date(2026, 1, 1)
DAYS = 360
AGENCIES = 400
EACH = 5
"""Recipients of a document."""
SIGNS = [
    f"{kind}-UBND-HK" for kind in ("QĐ", "BC", "KH", "TB", "TTr", "GM", "CTr", "KL", "PA", "ĐA")
]
REGISTER = "Số ký hiệu văn bản,Ngày tháng,Trích yếu,Nơi nhận,Mã lý do\n"
GATEWAY = (
    "FromCode,ToCode,Notation,Title,SenderDocId,ReceiverDocId,SentTime,ReceivedTime,"
    "SendStatus,ReceiveStatus\n"
)
TITLE = "V/v triển khai nhiệm vụ trọng tâm công tác quý"


def write(folder: Path, documents: int) -> None:
    """Write both files; the share of each fault is fixed, so that the counts are known."""
    with (
        (folder / "register.csv").open("w", encoding="utf-8") as register,
        (folder / "gateway.csv").open("w", encoding="utf-8") as gateway,
    ):
        register.write(REGISTER)
        gateway.write(GATEWAY)
        for n in range(documents):
            number, sign = n // len(SIGNS) + 1, SIGNS[n % len(SIGNS)]
            day = START + dt.timedelta(days=n * DAYS // documents)
            to = [(n * 7 + k * 61) % AGENCIES for k in range(EACH)]
            names = "; ".join(f"Cơ quan số {a}" for a in to)
            notation = f"{number:02}/{sign}"
            register.write(f'{notation},{day:%d/%m/%Y},{TITLE},"{names}; Lưu: VT",\n')
            for k, a in enumerate(to):
                gateway.write(_row(n, k, a, notation, day))


def _row(n: int, k: int, agency: int, notation: str, day: dt.date) -> str:
    fault = (n * EACH + k) % 100
    if fault == 0:
        return f"H26.X,H26.{agency},{n % 900000 + 1}/KHÁC,{TITLE},x,y,{day} 08:00:00,,sent,03\n"
    sent = f"{day + dt.timedelta(days=20 if fault == 1 else 0)} 09:{n % 60:02}:00"
    status = {2: "02", 3: ""}.get(fault, "03")
    received = sent if status == "03" else ""
    ids = f"{n:016x},{k:016x}"
    return f"H26.X,H26.{agency},{notation},{TITLE},{ids},{sent},{received},sent,{status}\n"


def entry(path: Path) -> FileEntry:
    """A file as the scanner hands it on: mapped, not read."""
    with path.open("rb") as file:
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return FileEntry(name=path.name, mtime=dt.datetime(2026, 12, 31, tzinfo=dt.UTC), data=data)


class Anonymous(threading.Thread):
    """Samples the memory that no file stands behind, in bytes; `ru_maxrss` has mapped files too."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0

    def run(self) -> None:
        """Look ten times a second."""
        while True:
            for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
                if line.startswith("RssAnon:"):
                    self.peak = max(self.peak, int(line.split()[1]) * 1024)
            time.sleep(0.1)


def run(folder: Path) -> dict[str, Any]:
    """Read both files and match them."""
    memory = Anonymous()
    memory.start()
    others = tuple(Agency(code=f"H26.{n}", name=f"Cơ quan số {n}") for n in range(AGENCIES))
    own = Agency(code="H26.OWN", old_codes=("H26.X",), name="Phường Mới")
    said = Documents(codes=("H26.OWN",))
    unit = Unit(id="u", name="U", kind=UnitKind.WARD, documents=said)
    directory = Directory((*others, own), unit)
    marks = [time.perf_counter()]
    register = read_register([entry(folder / "register.csv")], "register.csv", {}, ZONE)
    marks.append(time.perf_counter())
    gateway = read_gateway(
        [entry(folder / "gateway.csv")], "gateway.csv", {}, ZONE, directory.is_own_code
    )
    marks.append(time.perf_counter())
    events = DocumentEvents(
        events=Joined((register.events, gateway.events)), sources=(register.report, gateway.report)
    )
    period = Period(start=START, end=START + dt.timedelta(days=DAYS + 30))
    calendar = Calendar.of(Inventory())
    found = match(events, directory, period, Rules(), ZONE, calendar)
    marks.append(time.perf_counter())
    seconds = [round(b - a, 1) for a, b in itertools.pairwise(marks)]
    return {
        "documents": found.counts["documents"],
        "gateway_rows": gateway.report.lines,
        "pairs": found.counts["pairs"],
        "counts": {k: v for k, v in found.counts.items() if v},
        "seconds": dict(zip(("read register", "read gateway", "match"), seconds, strict=True)),
        "anonymous_MB": memory.peak // 1_000_000,
        "peak_MB_with_files": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000,
    }


def main() -> None:
    """Make the files, measure in a process of its own, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--documents", type=int, default=1_000_000, help="rows of the register")
    parser.add_argument("--keep", type=Path, help="folder in which the files are kept")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "gateway.csv").exists():
            write(folder, args.documents)
        sizes = {p.name: p.stat().st_size // 1_000_000 for p in sorted(folder.glob("*.csv"))}
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            figures = pool.apply(run, (folder,))
    print(json.dumps({"files_MB": sizes, **figures}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
