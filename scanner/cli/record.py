"""`sauro record`: a new level record, signing it, and what its signatures are worth."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from checks.model import Severity, Status
from checks.results import Result
from checks.security.signed import CMS, RAW
from checks.texts import clean, render
from scanner import app, records
from scanner.cli.common import note, opened, project_option, show
from scanner.cli.words import LANGUAGE, t
from scanner.errors import UserError
from scanner.exit_codes import exit_code
from scanner.files import write_whole
from scanner.project import Project
from scanner.signing import read_key
from scanner.signing import sign as make_signature
from scanner.transports.secrets import NoSecret, resolve

_MOST_BYTES = 1_048_576
_MARKS = {Status.PASS: "✓", Status.FAIL: "✕"}


@click.group(
    help=t("Hồ sơ cấp độ: tạo, ký, xác minh.", "Level records: make one, sign it, verify it.")
)
def record() -> None:
    """Group of the record commands."""


@record.command(
    help=t(
        "Tạo tệp hồ sơ cấp độ của một hệ thống để điền; không ghi đè tệp đã có.",
        "Write a level record to fill in; a file that is there is never overwritten.",
    )
)
@project_option
@click.argument("system", metavar="SYSTEM")
def new(project: Path | None, system: str) -> None:
    """Write the record of a system."""
    found = opened(project)
    chosen = records.system_of(found, system)
    said, place = records.record_file(found, chosen)
    text = records.new_record(chosen, LANGUAGE)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        # Taken first, so that two at once cannot both believe that it is theirs.
        place.open("x").close()
        write_whole(place, text.encode())
    except UserError:
        place.unlink(missing_ok=True)
        raise
    except FileExistsError:
        raise UserError(f"{said}: is there already, and stays as it is: edit it") from None
    except OSError as e:
        raise UserError(f"{said}: cannot be written: {e.strerror}") from None
    show(t(f"Đã tạo {said}.", f"Wrote {said}."))
    if not chosen.assessment:
        line = f"assessment: {said}"
        show(
            t(
                f"Thêm vào systems.{chosen.id} của danh mục: {line}",
                f"Add to systems.{chosen.id} of the inventory: {line}",
            )
        )


@record.command(
    help=t(
        "Ký tệp hồ sơ cấp độ: khóa Ed25519 tạo .sig, chứng thư X.509 tạo .p7s bên cạnh tệp.",
        "Sign a level record: an Ed25519 key writes a .sig beside it, X.509 a .p7s.",
    )
)
@project_option
@click.argument("system", metavar="SYSTEM")
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help=t("khóa bí mật: PEM hoặc PKCS#12", "private key: PEM or PKCS#12"),
)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help=t("chứng thư của khóa, PEM hoặc DER", "the key's certificate, PEM or DER"),
)
@click.option(
    "--passphrase",
    metavar="REF",
    default="",
    help=t(
        "env:TÊN, file:TỆP hoặc command:LỆNH; không có thì hỏi",
        "env:NAME, file:PATH or command:…; asked for without it",
    ),
)
def sign(
    project: Path | None, system: str, key: Path, certificate: Path | None, passphrase: str
) -> None:
    """Sign the record of a system, then say what the signature is worth to a scan."""
    found = opened(project)
    chosen = records.system_of(found, system)
    said, place = records.record_file(found, chosen, registered=True)
    if not place.is_file():
        make = f"make it by `sauro record new {chosen.id}`"
        raise UserError(f"{said}: there is no such file: {make}")
    data = _bytes(place)
    records.read_record(found, chosen, said, data)

    def ask() -> bytes:
        return _passphrase(passphrase, found.folder, os.environ)

    by = read_key(str(key), _bytes(key), _bytes(certificate) if certificate else None, ask)
    now = app.utc_now()
    ending, signature = make_signature(str(key), data, by, now)
    write_whole(place.with_name(place.name + ending), signature)
    show(t(f"Đã ký {said}: {said}{ending}", f"Signed {said}: {said}{ending}"))
    if chosen.assessment or said != records.DEFAULT.format(system=chosen.id):
        (row,) = [
            r for r in records.verify(found, (chosen.id,), now) if r.check == records.VERIFIED[0]
        ]
        _say(row, found)
        if row.status is not Status.PASS:
            note(_what_lacks(said, place, ending))


def _what_lacks(said: str, place: Path, ending: str) -> str:
    """Why a signature that was just made may not pass a scan yet."""
    for other in (RAW, CMS):
        if other != ending and place.with_name(place.name + other).exists():
            return t(
                f"Bên cạnh còn {said}{other}: chữ ký đó cũng phải khớp; ký lại hoặc xóa nó.",
                f"{said}{other} lies beside it and must hold too: sign it again, or remove it.",
            )
    return t(
        "Khai khóa công khai hoặc chứng thư của người ký ở mục signers của đơn vị.",
        "Declare the signer's public key or certificate under signers of the unit.",
    )


@record.command(
    help=t(
        "Xác minh chữ ký của hồ sơ cấp độ và của quyết định phê duyệt.",
        "Verify the signatures of level records and of the decisions that approve them.",
    )
)
@project_option
@click.argument("systems", metavar="[SYSTEM]...", nargs=-1)
def verify(project: Path | None, systems: tuple[str, ...]) -> int:
    """Print what was verified and what was not; exit codes as for a scan, any failure counts."""
    found = opened(project)
    rows = records.verify(found, systems, app.utc_now())
    for row in rows:
        _say(row, found)
    # Whoever asks for a signature wants to hear of any that is not there.
    return exit_code(rows, Severity.INFO)


def _say(row: Result, project: Project) -> None:
    mark = _MARKS.get(row.status, "?" if row.status is not Status.NOT_APPLICABLE else "–")
    part = row.check.rpartition(".")[2].removesuffix("-signed")
    show(f"{mark} {row.target} {part}: {render(row.message, LANGUAGE, project.zone)}")
    for one in row.detail.get("signatures", []):
        show(f"    {_signature(one)}")


def _signature(one: Mapping[str, Any]) -> str:
    parts = [str(one["signer"])]
    if one["organisation"] and one["organisation"] not in parts[0]:
        parts.append(str(one["organisation"]))
    parts.append(t("khớp", "holds") if one["holds"] else str(one["reason"] or one["fault"]))
    if one["signed"]:
        own = t("giờ máy người ký", "the signer's own clock")
        parts.append(f"{one['signed']} ({own})" if one["signed_self_reported"] else one["signed"])
    if one["certificate_until"]:
        words = t("chứng thư đến", "certificate until")
        parts.append(f"{words} {one['certificate_until'][:10]}")
    chain = one["chain"]
    if one["holds"] and chain == "not-checked":
        parts.append(t("chuỗi tin cậy chưa kiểm tra", "trust chain not checked"))
    elif chain:
        parts.append(str(chain))
    return clean("; ".join(parts), 400)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as e:
        raise UserError(f"{path}: cannot be read: {e.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise UserError(f"{path}: is larger than 1 MiB: this is no record and no key")
    return data


def _passphrase(reference: str, folder: Path, environment: Mapping[str, str]) -> bytes:
    if reference:
        try:
            return resolve(reference, folder, environment).encode()
        except NoSecret as e:
            raise UserError(f"--passphrase: {e}") from None
    if not sys.stdin.isatty():
        raise UserError("the key needs a passphrase: give --passphrase env:NAME or file:PATH")
    words = t("Mật khẩu của khóa", "Passphrase of the key")
    typed: str = click.prompt(words, hide_input=True, err=True)
    return typed.encode()
