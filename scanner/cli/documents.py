"""`sauro documents`: what concerns the routing of official documents."""

from __future__ import annotations

from pathlib import Path

import click

from checks.documents.samples import PRODUCTS, sample
from scanner.app_documents import MAILBOXES
from scanner.cli.common import note, opened, project_option, show
from scanner.cli.documents_explain import explain
from scanner.cli.documents_statistics import statistics
from scanner.cli.words import LANGUAGE, t
from scanner.errors import UserError
from scanner.exit_codes import CLEAN, UNSEEN
from scanner.store.database import Store


@click.group(
    help=t(
        "Văn bản điện tử: giải thích kết luận, số liệu gửi cấp trên, cấu hình mẫu.",
        "Official documents: what led to a verdict, statistics, mail settings.",
    )
)
def documents() -> None:
    """Group of the documents commands."""


@documents.command(
    "sample",
    help=t(
        "In cấu hình để nhật ký thư cho thấy văn bản gửi ngoài hệ thống, cách gỡ bỏ, ai phê duyệt.",
        "Print what lets a mail log show documents sent around the system, its undoing and who "
        "must approve it.",
    ),
)
@click.option(
    "--product",
    type=click.Choice(PRODUCTS),
    help=t("phần mềm thư (mặc định: mọi loại)", "mail software (default: every one)"),
)
@click.option(
    "--language",
    type=click.Choice(("vi", "en")),
    default=LANGUAGE,
    help=t("ngôn ngữ (mặc định theo LANG)", "language (default: that of LANG)"),
)
def sample_(product: str | None, language: str) -> None:
    """Settings for one product or for all."""
    chosen = (product,) if product else PRODUCTS
    show("\n\n".join(sample(p, language) for p in chosen).rstrip())


@documents.command(
    "forget-key",
    help=t(
        "Hủy khóa băm địa chỉ thư của dự án. Mã hộp thư đã lưu không còn gắn được với địa chỉ nào; "
        "lượt quét sau tạo khóa mới. Không hoàn tác được.",
        "Destroy the project's key of the hashes of addresses. Codes of mailboxes that are stored "
        "can then be tied to no address; the next scan makes a new key. There is no way back.",
    ),
)
@project_option
@click.option("--yes", is_flag=True, help=t("xác nhận hủy", "do destroy it"))
def forget_key(project: Path | None, *, yes: bool) -> int:
    """0 when there was a key; 2 when there was none."""
    if not yes:
        raise UserError("nothing was destroyed: the key cannot be brought back, so add --yes")
    with Store.open(opened(project).store_url, create=False) as store:
        gone = store.destroy_key(MAILBOXES)
    if not gone:
        note(t("Dự án này chưa có khóa.", "This project has no key."))
        return UNSEEN
    show(
        t(
            "Đã hủy khóa. Bản sao lưu của kho dữ liệu có thể vẫn còn khóa cũ: hủy cả các bản đó.",
            "The key is destroyed. Backups of the store may still hold it: destroy those as well.",
        )
    )
    return CLEAN


documents.add_command(explain)
documents.add_command(statistics)
