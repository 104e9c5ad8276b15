"""The `sauro` command. Nothing heavy loads here: `--version` and `--help` answer at once."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

import scanner
from scanner.errors import FAULT, USAGE, UserError

if TYPE_CHECKING:
    import click


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = sys.argv[1:] if argv is None else argv
    if args in (["--version"], ["-V"]):
        print(f"sauro {scanner.__version__}")
        return 0
    import click  # noqa: PLC0415 - not needed to say the version

    code: object = 0
    try:
        code = _group().main(args, prog_name="sauro", standalone_mode=False)
    except click.exceptions.Exit as e:
        code = e.exit_code
    except click.ClickException as e:
        ctx = getattr(e, "ctx", None)
        hint = f" ({ctx.command_path} --help)" if ctx else ""
        print(f"sauro: {e.format_message()}{hint}", file=sys.stderr)
        code = USAGE
    except click.Abort:
        code = 130
    except BrokenPipeError:
        # Whoever read our output has enough; nothing more may be flushed into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as e:  # noqa: BLE001 - the last stop before the shell
        code = _explain(e)
    return code if isinstance(code, int) else 0


def _explain(error: Exception) -> int:
    """One line for a mistake of the user; the trace for a fault of ours."""
    from inventory.problems import InvalidInput  # noqa: PLC0415

    if isinstance(error, InvalidInput):
        for problem in error.problems:
            print(f"sauro: {problem}", file=sys.stderr)
        return USAGE
    if isinstance(error, UserError):
        print(f"sauro: {error}", file=sys.stderr)
        return USAGE
    import traceback  # noqa: PLC0415

    traceback.print_exception(error)
    print("sauro: this is a fault of ours; please report the lines above", file=sys.stderr)
    return FAULT


def _group() -> click.Group:
    import click  # noqa: PLC0415

    from scanner.cli.words import t  # noqa: PLC0415

    commands = {
        "demo": (
            "demo",
            t(
                "dựng 126 đơn vị mô phỏng, quét và lập báo cáo",
                "a simulated fleet, scanned and reported",
            ),
        ),
        "init": ("project", t("tạo một dự án nhỏ để bắt đầu", "a small project to start from")),
        "inventory": (
            "project",
            t("kiểm tra, liệt kê danh mục", "check, list and describe the inventory"),
        ),
        "record": (
            "record",
            t("hồ sơ cấp độ: tạo, ký, xác minh", "level records: make, sign, verify"),
        ),
        "doctor": (
            "look",
            t(
                "thử kết nối và quyền đọc, nêu cách sửa",
                "can everything be reached and read, and what mends it",
            ),
        ),
        "probes": (
            "look",
            t("mọi lệnh sẽ chạy trên máy chủ", "every command that would run on a host"),
        ),
        "sudoers": (
            "look",
            t("quyền tối thiểu cần cấp", "the least rights the scanning account needs"),
        ),
        "checks": ("look", t("danh mục phép kiểm tra", "the catalogue of checks")),
        "documents": (
            "documents",
            t(
                "văn bản điện tử: giải thích kết luận, số liệu gửi cấp trên, cấu hình mẫu",
                "official documents: what led to a verdict, statistics, mail settings",
            ),
        ),
        "scan": ("scan", t("thu thập, kết luận, lưu, in kết quả", "collect, judge, store, print")),
        "report": ("report", t("lập báo cáo từ một lượt quét", "render a stored scan")),
        "diff": ("report", t("so sánh hai lượt quét", "what changed between two scans")),
        "history": ("report", t("các lượt quét đã lưu", "the scans in the store")),
        "audit": (
            "service",
            t("cho cron: quét, báo cáo, mã thoát", "for cron: scan, report, exit code"),
        ),
        "watch": (
            "service",
            t("chạy định kỳ như một dịch vụ", "the same on its own schedule, as a service"),
        ),
    }

    class Lazy(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
            return list(commands)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
            if cmd_name not in commands:
                return None
            module = importlib.import_module(f"scanner.cli.{commands[cmd_name][0]}")
            command: click.Command = getattr(module, cmd_name)
            return command

        def resolve_command(
            self, ctx: click.Context, args: list[str]
        ) -> tuple[str | None, click.Command | None, list[str]]:
            if args and args[0] not in commands:
                import difflib  # noqa: PLC0415

                near = difflib.get_close_matches(args[0], commands, 1)
                hint = f"; {t('ý bạn là', 'did you mean')} '{near[0]}'?" if near else ""
                ctx.fail(f"{t('không có lệnh', 'no such command')} '{args[0]}'{hint}")
            return super().resolve_command(ctx, args)

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
            # The short helps stand in the table above, so that help imports no command.
            with formatter.section(t("Lệnh", "Commands")):
                formatter.write_dl([(name, text) for name, (_, text) in commands.items()])

    return Lazy(
        "sauro",
        help=t(
            "Sáu Rõ: cấp độ an toàn, sao lưu và văn bản điện tử của nhiều đơn vị, có bằng chứng.",
            "Sáu Rõ: security levels, backups and e-documents of many units, with evidence.",
        ),
        params=[
            click.Option(
                ["--version", "-V"], is_flag=True, help=t("in phiên bản", "print the version")
            )
        ],
        no_args_is_help=True,
        context_settings={"help_option_names": ["--help", "-h"]},
    )


if __name__ == "__main__":
    sys.exit(main())
