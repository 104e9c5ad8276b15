"""`sauro documents`: what concerns the routing of official documents."""

from __future__ import annotations

import click

from checks.documents.samples import PRODUCTS, sample
from scanner.cli.common import show
from scanner.cli.documents_explain import explain
from scanner.cli.documents_statistics import statistics
from scanner.cli.words import LANGUAGE, t


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


documents.add_command(explain)
documents.add_command(statistics)
