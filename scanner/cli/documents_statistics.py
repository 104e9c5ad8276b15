"""`sauro documents statistics`: counts for the level above, no document and no person in them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

import click

from scanner import app, app_documents
from scanner.cli.common import note, opened, project_option, show
from scanner.cli.words import t
from scanner.errors import UserError
from scanner.exit_codes import CLEAN, UNSEEN
from scanner.files import write_whole
from scanner.store.database import Store

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    "statistics",
    help=t(
        "Số liệu gửi cấp trên: số lượt gửi, nhận theo cơ quan và loại văn bản, tổng được kiểm tra, "
        "không có dữ liệu cá nhân.",
        "Figures for the level above: transmissions by partner and kind, with checked sums and no "
        "personal data.",
    ),
)
@project_option
@click.option("--unit", "units", multiple=True, metavar="ID", help=t("đơn vị", "unit"))
@click.option(
    "--reporter",
    default="",
    metavar="ID",
    help=t(
        "đơn vị báo cáo (mặc định: đơn vị cấp trên chung)",
        "who reports (default: the unit above all)",
    ),
)
@click.option("--from", "first", type=_DAY, help=t("ngày đầu kỳ", "first day"))
@click.option("--to", "last", type=_DAY, help=t("ngày cuối kỳ", "last day"))
@click.option("--format", "form", type=click.Choice(("csv", "json")), default="json")
@click.option(
    "--small",
    type=click.IntRange(0, 1000),
    default=0,
    help=t(
        "gộp cơ quan, loại văn bản có ít hơn N lượt (mặc định: không gộp)",
        "count partners and kinds with fewer than N together (default: off)",
    ),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=t("ghi ra tệp", "write to a file"),
)
@click.option(
    "--verify",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help=t("chỉ kiểm tra một tệp số liệu nhận được", "only check an export that was received"),
)
@click.option("--schema", is_flag=True, help=t("chỉ in JSON Schema", "only print the JSON Schema"))
def statistics(  # noqa: PLR0913 - one parameter per option
    project: Path | None,
    units: tuple[str, ...],
    *,
    reporter: str,
    first: dt.datetime | None,
    last: dt.datetime | None,
    form: Literal["csv", "json"],
    small: int,
    output: Path | None,
    verify: Path | None,
    schema: bool,
) -> int:
    """0 when every unit has figures of both directions, 2 when some were not seen."""
    if schema:
        show(app_documents.statistics_schema())
        return CLEAN
    if verify is not None:
        return _verified(verify)
    days = first.date() if first else None, last.date() if last else None
    with Store.open(opened(project).store_url, create=False) as store:
        found = app_documents.statistics(store, units, reporter, days, (small, app.utc_now()))
    data = app_documents.statistics_bytes(found, form)
    if output is not None:
        write_whole(output, data)
    else:
        click.echo(data, nl=False)
    unseen = [u for u in found.units if u.incoming_seen.missing or u.outgoing_seen.missing]
    if unseen:
        note(
            t(
                f"{len(unseen)}/{len(found.units)} đơn vị chưa có số liệu đủ hai chiều; "
                "xem incoming_seen, outgoing_seen.",
                f"{len(unseen)} of {len(found.units)} units have no figures of some direction; "
                "see incoming_seen and outgoing_seen.",
            )
        )
    return UNSEEN if unseen else CLEAN


def _verified(path: Path) -> int:
    try:
        data = path.read_bytes()
    except OSError as e:
        raise UserError(f"{path} cannot be read ({e.strerror}): make it readable") from None
    found = app_documents.statistics_read(data)
    header = found.header
    show(
        t(
            f"Đúng: {len(found.units)} đơn vị, kỳ {header.first}–{header.last}, mọi tổng đều khớp.",
            f"Right: {len(found.units)} units, {header.first} to {header.last}, every sum closes.",
        )
    )
    return CLEAN
