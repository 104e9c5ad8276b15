"""`sauro init` and `sauro inventory`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from scanner.cli.common import (
    opened,
    project_option,
    selection,
    selection_options,
    show,
)
from scanner.cli.words import t


@click.command(
    help=t(
        "Tạo một dự án nhỏ, sẵn sàng kiểm tra.",
        "Make a small project that passes `inventory check`.",
    )
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def init(folder: Path) -> None:
    """Write the starter project."""
    from inventory.starter import write_starter  # noqa: PLC0415

    written = write_starter(folder)
    show(
        t(
            f"Đã tạo {len(written)} tệp trong {folder.resolve()}:",
            f"Wrote {len(written)} files in {folder.resolve()}:",
        )
    )
    for path in written:
        show(f"  {path}")
    show(
        t(
            "Tiếp theo: sửa inventory/, rồi chạy `sauro inventory check`.",
            "Next: edit inventory/, then run `sauro inventory check`.",
        )
    )


@click.group(help=t("Danh mục đơn vị, máy chủ, hệ thống.", "Units, servers, systems."))
def inventory() -> None:
    """Group of the inventory commands."""


@inventory.command(
    help=t("Nạp danh mục và nêu mọi lỗi trong một lần.", "Load it and show every error in one go.")
)
@project_option
def check(project: Path | None) -> None:
    """Load and count; errors leave through the one place that shows them."""
    found = opened(project).inventory
    own = sum(not u.external for u in found.units.values())
    sets = sum(len(s.backups) for s in found.systems.values())
    show(
        t(
            f"Danh mục đúng: {own} đơn vị, {len(found.systems)} hệ thống, "
            f"{len(found.servers)} máy chủ, {sets} bộ sao lưu, {len(found.waivers)} miễn trừ.",
            f"The inventory is sound: {own} units, {len(found.systems)} systems, "
            f"{len(found.servers)} servers, {sets} backup sets, {len(found.waivers)} waivers.",
        )
    )


@inventory.command("list", help=t("Liệt kê phần đã chọn.", "List the selection."))
@project_option
@selection_options
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def list_(project: Path | None, form: str, **chosen: Any) -> None:  # noqa: ANN401
    """A line a server, with its unit and systems."""
    from inventory.select import choose  # noqa: PLC0415

    known = opened(project).inventory
    picked = choose(known, selection(chosen))
    rows = []
    for server in known.servers.values():
        if server.id in picked.servers:
            systems = [s.id for s in known.systems.values() if server.id in s.servers]
            unit = known.units[server.unit]
            rows.append(
                {
                    "unit": unit.id,
                    "name": unit.name,
                    "server": server.id,
                    "address": server.address,
                    "transport": server.transport,
                    "systems": systems,
                }
            )
    if form == "json":
        show(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        show(
            f"{row['unit']}  {row['name']}  {row['server']}  {row['address']}  "
            f"{row['transport']}  {','.join(row['systems'])}"
        )


@inventory.command(
    help=t(
        "In JSON Schema của danh mục, hoặc của hồ sơ cấp độ.",
        "Print the JSON Schema of an inventory file, or of a level record.",
    )
)
@click.option("--record", is_flag=True, help=t("Của hồ sơ cấp độ.", "Of a level record."))
def schema(record: bool) -> None:
    """For editors: completion and checks while typing."""
    from checks.security.level_record import record_schema  # noqa: PLC0415
    from inventory.schema import json_schema  # noqa: PLC0415

    found = record_schema() if record else json_schema()
    show(json.dumps(found, ensure_ascii=False, indent=2))
