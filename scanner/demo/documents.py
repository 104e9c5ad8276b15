"""Registers, gateway exports, mail logs and the agency directory of the demo."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path
from random import Random

from msgspec.structs import replace

from scanner.demo.arrivals import INCOMING, RECEIVED, arrivals, incoming_rows, received_rows
from scanner.demo.authority import Authority
from scanner.demo.axis import BY_PACKETS, through_outage
from scanner.demo.layout import mail_log
from scanner.demo.mail import mails, postfix_log
from scanner.demo.monitoring import monitoring
from scanner.demo.packets import write_packets
from scanner.demo.papers import PERIOD_DAYS, Body, Paper, Way, body_of, directory, papers
from scanner.demo.plot import AxisStory, DocsStory, Plot, UnitPlot

_REGISTER = (
    "Số, ký hiệu văn bản",
    "Ngày tháng văn bản",
    "Tên loại và trích yếu nội dung văn bản",
    "Người ký",
    "Nơi nhận văn bản",
    "Đơn vị, người nhận bản lưu",
    "Số lượng bản",
    "Ngày chuyển",
    "Ký nhận",
    "Ghi chú",
)
_GATEWAY = (
    "FromCode",
    "ToCode",
    "Notation",
    "Title",
    "SenderDocId",
    "ReceiverDocId",
    "SentTime",
    "ReceivedTime",
    "SendStatus",
    "ReceiveStatus",
)


_POST = (
    "Ngày chuyển",
    "Số, ký hiệu văn bản",
    "Nơi nhận văn bản",
    "Số lượng bì",
    "Ký nhận và dấu bưu điện",
    "Ghi chú",
)


def declared(out: Path, unit: UnitPlot) -> list[str]:
    """The `documents:` block of a unit's inventory file; empty when it declared nothing."""
    place, docs = unit.place, unit.docs
    if docs.story is DocsStory.UNDECLARED:
        return []
    lines = [
        "",
        "documents:",
        f"  signs: [{place.sign}]",
        f"  codes: [{place.axis_code}]",
        f"  domains: [{place.domain}]",
    ]
    if docs.story is not DocsStory.NO_REGISTER:
        lines.append(f"  register: {{path: registers/{place.code}.csv}}")
    if docs.axis in BY_PACKETS:
        lines.append(f'  packets: {{path: "packets/{place.code}/*.edxml"}}')
    else:
        lines.append(f"  gateway: {{path: gateway/{place.code}.csv}}")
    if docs.axis is AxisStory.OUTAGE:
        lines.append(f"  x_road: {{path: opmon/{place.code}.json}}")
    lines += [
        f"  received: {{path: received/{place.code}.csv}}",
        f"  incoming: {{path: incoming/{place.code}.csv}}",
    ]
    if docs.story is DocsStory.PAPER:
        lines.append(f"  postal: {{path: post/{place.code}.csv}}")
    log = mail_log(out, place.code, docs.mail_host)
    if docs.mail_host:
        path, server = str(log), f", server: {docs.mail_host}"
    else:
        path, server = str(log.relative_to(out)), ""
    quoted = json.dumps(path, ensure_ascii=False)
    lines.append(f"  mail: [{{kind: postfix, path: {quoted}{server}}}]")
    return lines


def write_documents(out: Path, plot: Plot, authority: Authority, random: Random) -> None:
    """Write the directory and everything that the units hand over."""
    bodies = directory(plot.units)
    _write(out / "agencies.csv", _agencies(bodies))
    for folder in ("registers", "gateway", "received", "incoming", "post", "mail", "opmon"):
        (out / folder).mkdir()
    skews = {host.id: host.skew for host in plot.hosts}
    for unit in plot.units:
        sent = papers(unit, bodies, plot.now, random)
        story, axis, code = unit.docs.story, unit.docs.axis, unit.place.code
        if axis is AxisStory.OUTAGE:
            sent = through_outage(sent)
            log = monitoring(unit, bodies, sent, plot.now, random)
            (out / "opmon" / f"{code}.json").write_text(log, encoding="utf-8")
        if story not in (DocsStory.NO_REGISTER, DocsStory.UNDECLARED):
            _write(out / "registers" / f"{code}.csv", _register(unit, sent))
        if axis in BY_PACKETS:
            write_packets(out / "packets" / code, unit, sent, authority, random)
        elif story not in (DocsStory.NO_GATEWAY, DocsStory.UNDECLARED):
            _write(out / "gateway" / f"{code}.csv", _gateway(unit, sent, random))
        if story is DocsStory.PAPER:
            _write(out / "post" / f"{code}.csv", _post(sent))
        if story is not DocsStory.UNDECLARED:
            _write_arrivals(out, unit, bodies, plot.now, random)
            skew = dt.timedelta(seconds=skews.get(unit.docs.mail_host, 0))
            _write_mail(out, unit, sent, plot.now, skew, random)


def _write_arrivals(
    out: Path, unit: UnitPlot, bodies: Sequence[Body], now: dt.datetime, random: Random
) -> None:
    found = arrivals(unit, bodies, now, random)
    name = f"{unit.place.code}.csv"
    _write(out / "received" / name, _table(RECEIVED, received_rows(found, random)))
    _write(
        out / "incoming" / name,
        _table(INCOMING, incoming_rows(found, skips=unit.docs.story is DocsStory.GAPS)),
    )


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8-sig")  # as spreadsheets save it


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _agencies(bodies: Sequence[Body]) -> str:
    header = ("code", "old_code", "name", "mail_domains", "signs", "groups")
    return _table(header, [(b.code, "", b.name, b.domain, b.sign, b.group) for b in bodies])


def _register(unit: UnitPlot, sent: Sequence[Paper]) -> str:
    rows = []
    for paper in (p for p in sent if p.registered):
        named = [paper.group] if paper.group else [d.to.name for d in paper.deliveries]
        receivers = "; ".join([*named, "Lưu: VT"])
        day = f"{paper.date:%d/%m/%Y}"
        rows.append(
            (
                paper.notation,
                day,
                paper.title,
                unit.accountable.name,
                receivers,
                "Văn thư",
                str(len(paper.deliveries) + 1),
                day,
                "",
                "",
            )
        )
    return _table(_REGISTER, rows)


def _gateway(unit: UnitPlot, sent: Sequence[Paper], random: Random) -> str:
    own = body_of(unit.place).code
    rows = []
    for paper in sent:
        for delivery in paper.deliveries:
            if delivery.way not in (Way.GATEWAY, Way.COPY):
                continue
            received = delivery.sent + dt.timedelta(minutes=random.randint(2, 30))
            got = delivery.received
            ids = [f"{random.getrandbits(64):016x}" for _ in range(2)]
            rows.append(
                (
                    own,
                    delivery.to.code,
                    paper.notation,
                    paper.title,
                    *ids,
                    f"{delivery.sent:%Y-%m-%d %H:%M:%S}",
                    f"{received:%Y-%m-%d %H:%M:%S}" if got else "",
                    "done" if got else "sent",
                    random.choice(("03", "03", "05", "06")) if got else "",
                )
            )
    return _table(_GATEWAY, rows)


def _post(sent: Sequence[Paper]) -> str:
    rows = []
    for paper in sent:
        to = "; ".join(d.to.name for d in paper.deliveries if d.way is Way.POST)
        if to:
            rows.append((f"{paper.date:%d/%m/%Y}", paper.notation, to, "1", "", ""))
    return _table(_POST, rows)


def _write_mail(
    out: Path,
    unit: UnitPlot,
    sent: Sequence[Paper],
    now: dt.datetime,
    skew: dt.timedelta,
    random: Random,
) -> None:
    days = [now.date() - dt.timedelta(days=n) for n in range(PERIOD_DAYS, 0, -1)]
    zone = now.tzinfo
    if zone is None:
        raise ValueError("the time of a demo is aware")
    left = mails(unit.place.domain, sent, days, zone, random)
    stamped = [replace(mail, time=mail.time + skew) for mail in left]
    host = unit.docs.mail_host or f"{unit.place.slug}-mail"
    headers = unit.docs.story is not DocsStory.NO_HEADERS
    path = mail_log(out, unit.place.code, unit.docs.mail_host)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(postfix_log(host, stamped, random, headers=headers), encoding="utf-8")
    written = stamped[-1].time.timestamp()
    os.utime(path, (written, written))
