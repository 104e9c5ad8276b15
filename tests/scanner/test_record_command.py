"""`sauro record new | sign | verify` through the command line, with real keys of every format."""

from __future__ import annotations

import base64
import datetime as dt
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)

from checks.security.level_record import parse_record
from scanner.cli.main import main
from tests.helpers.signing import make, openssl

UNIT = """\
unit: "00070"
name: Phường Hoàn Kiếm
kind: ward
{more}
systems:
  one:
    name: "Một cửa: {{điện tử}} # 1"
    owner: "00070"
    operator: "00070"
    level: 3
    assessment: records/one.yaml
  bare: {{name: Không khai, owner: "00070"}}
"""
SIGNER = "signers: {head: {name: Bà Lan, post: Chủ tịch, public_key: keys/head.pub}}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SAURO_PROJECT", raising=False)
    folder = tmp_path / "city"
    (folder / "keys").mkdir(parents=True)
    (folder / "sauro.yaml").write_text("language: vi\n")
    declare(folder, SIGNER)
    monkeypatch.chdir(folder)
    return folder


def declare(folder: Path, more: str) -> None:
    (folder / "inventory").mkdir(exist_ok=True)
    (folder / "inventory" / "hk.yaml").write_text(UNIT.format(more=more))


def head_key(folder: Path, passphrase: bytes = b"") -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    lock = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    (folder / "keys" / "head.pem").write_bytes(private)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "keys" / "head.pub").write_bytes(public)
    return key


def record(folder: Path, text: str = "system: one\nlevel: 3\n") -> Path:
    path = folder / "records" / "one.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


# ------------------------------------------------------------------------------------------ new


def test_a_new_record_says_what_the_inventory_says_and_approves_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["record", "new", "one"]) == 0
    path = project / "records" / "one.yaml"
    assert "records/one.yaml" in capsys.readouterr().out
    found = parse_record(path.read_bytes(), "one")
    assert (found.system, found.level, found.owner, found.operator) == ("one", 3, "00070", "00070")
    assert (found.approval, found.appraisal, found.proposal, found.criteria) == (None,) * 4
    assert found.approved_level is None
    # The comments, switched on, are a record too.
    lines = path.read_text().splitlines()
    live = [line.removeprefix("# ") if _is_key(line) else line for line in lines]
    whole = parse_record("\n".join(live).replace("…", "ab" * 32).encode(), "one")
    assert whole.approval is not None
    assert whole.dossier
    assert whole.inspections


def _is_key(line: str) -> bool:
    word = line.removeprefix("# ").lstrip(" -").partition(":")[0]
    return line.startswith("# ") and ((word.isascii() and word.isalpha()) or "{" in word)


def test_a_record_that_is_there_is_never_overwritten(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record(project, "mine")
    assert main(["record", "new", "one"]) == 64
    assert path.read_text() == "mine"
    assert capsys.readouterr().err.count("\n") == 1


def test_a_system_without_a_path_gets_one_and_is_told_where_to_say_so(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["record", "new", "bare"]) == 0
    assert "assessment: records/bare.yaml" in capsys.readouterr().out
    found = parse_record((project / "records" / "bare.yaml").read_bytes(), "bare")
    assert (found.system, found.level) == ("bare", None)


def test_a_record_is_not_written_outside_the_project(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "else").mkdir()
    (project / "records").symlink_to(tmp_path / "else")
    assert main(["record", "new", "one"]) == 64
    assert list((tmp_path / "else").iterdir()) == []
    assert "project folder" in capsys.readouterr().err


# ----------------------------------------------------------------------------------------- sign


def test_sign_and_verify_with_an_ed25519_key(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head_key(project)
    path = record(project)
    assert main(["record", "verify", "one"]) == 1  # unsigned at level 3, by the house default
    assert "✕ one record" in capsys.readouterr().out
    assert main(["record", "sign", "one", "--key", "keys/head.pem"]) == 0
    said = capsys.readouterr()
    assert "Bà Lan (Chủ tịch)" in said.out
    assert said.err == ""
    assert main(["record", "verify", "one"]) == 0
    assert "✓ one record" in capsys.readouterr().out
    path.write_text(path.read_text() + "\n")
    assert main(["record", "verify", "one"]) == 1
    assert "✕ one record" in capsys.readouterr().out
    # Signed again, the new signature takes the place of the old one, whole.
    assert main(["record", "sign", "one", "--key", "keys/head.pem"]) == 0
    assert main(["record", "verify"]) == 2  # the other system has no record
    assert sorted(p.name for p in path.parent.iterdir()) == ["one.yaml", "one.yaml.sig"]


def test_keys_made_by_the_documented_command_sign(project: Path, tmp_path: Path) -> None:
    folder = project / "keys"
    openssl("genpkey", "-algorithm", "ed25519", "-out", "head.pem", cwd=folder)
    openssl("pkey", "-in", "head.pem", "-pubout", "-out", "head.pub", cwd=folder)
    path = record(project)
    assert main(["record", "sign", "one", "--key", "keys/head.pem"]) == 0
    (tmp_path / "raw").write_bytes(base64.b64decode((path.parent / "one.yaml.sig").read_bytes()))
    args = ("pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", folder / "head.pub", "-in", path)
    assert b"Success" in openssl(*args, "-sigfile", tmp_path / "raw", cwd=tmp_path)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.OpenSSH])
def test_a_passphrase_comes_by_reference_or_is_asked_for(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    form: PrivateFormat,
) -> None:
    key = head_key(project)
    lock = BestAvailableEncryption(b"m\xe1\xba\xadt kh\xe1\xba\xa9u")
    (project / "keys" / "head.pem").write_bytes(key.private_bytes(Encoding.PEM, form, lock))
    path = record(project)
    sign = ["record", "sign", "one", "--key", "keys/head.pem"]
    assert main(sign) == 64
    assert "--passphrase" in capsys.readouterr().err
    monkeypatch.setenv("PASS", "wrong")
    assert main([*sign, "--passphrase", "env:PASS"]) == 64
    assert not path.with_name("one.yaml.sig").exists()
    monkeypatch.setenv("PASS", "mật khẩu")
    assert main([*sign, "--passphrase", "env:PASS"]) == 0
    (project / "pass").write_text("mật khẩu\n")
    assert main([*sign, "--passphrase", "file:pass"]) == 0
    assert main([*sign, "--passphrase", "command:cat pass"]) == 0
    capsys.readouterr()
    for wrong in ("mật khẩu", "env:NOT_SET", "file:nowhere", "command:false"):
        assert main([*sign, "--passphrase", wrong]) == 64
        said = capsys.readouterr()
        assert said.err.count("\n") == 1
        assert "mật khẩu" not in said.err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.prompt", lambda *_, **more: "mật khẩu" * more["hide_input"])
    assert main(sign) == 0


def certified(project: Path) -> None:
    more = "signers: {seal: {name: Con dấu, certificate: keys/seal.crt}}\n"
    declare(project, more + "trust_roots: [keys/root.crt]")


@pytest.mark.parametrize("kind", ["rsa", "ec", "ed25519"])
def test_x509_by_key_and_certificate_and_by_pkcs12(
    project: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    root = make(authority=True)
    one = make(kind, root)
    (project / "keys" / "root.crt").write_bytes(root.pem)
    one.write(project / "keys", "seal")
    certified(project)
    path = record(project)
    by = ["--key", "keys/seal.key", "--certificate", "keys/seal.crt"]
    assert main(["record", "sign", "one", *by]) == 0
    assert "✓ one record: " in capsys.readouterr().out
    blob = path.with_name("one.yaml.p7s").read_bytes()
    if kind != "ed25519":
        args = ("cms", "-verify", "-binary", "-inform", "DER", "-in", "-", "-content", path)
        more = ("-purpose", "any", "-CAfile", project / "keys" / "root.crt")
        assert openssl(*args, *more, cwd=project, stdin=blob) == path.read_bytes()
    lock = BestAvailableEncryption(b"secret")
    bundle = pkcs12.serialize_key_and_certificates(
        b"seal", one.key, one.certificate, [root.certificate], lock
    )
    (project / "keys" / "seal.p12").write_bytes(bundle)
    (project / "pass").write_text("secret")
    assert main(["record", "sign", "one", "--key", "keys/seal.p12"]) == 64
    by = ["--key", "keys/seal.p12", "--passphrase", "file:pass"]
    assert main(["record", "sign", "one", *by]) == 0
    said = capsys.readouterr().out
    assert "trusted" in said
    assert "012345678901" not in said


def test_what_cannot_sign_is_one_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = project / "keys"
    one = make("ec", make(authority=True))
    one.write(keys, "seal")
    make("ec").write(keys, "other")
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    make("ec", start=past, end=past + dt.timedelta(days=9)).write(keys, "old")
    head_key(project)
    (keys / "junk").write_bytes(b"hello")
    (keys / "large").write_bytes(b"1" * 2_000_000)
    (keys / "der").write_bytes(b"\x30\x82\x01\x00")
    record(project)
    for by in (
        ["keys/seal.key"],
        ["keys/seal.key", "--certificate", "keys/other.crt"],
        ["keys/seal.key", "--certificate", "keys/junk"],
        ["keys/old.key", "--certificate", "keys/old.crt"],
        ["keys/head.pub"],
        ["keys/seal.crt"],
        ["keys/junk"],
        ["keys/large"],
        ["keys/der"],
        ["keys/nowhere"],
        ["keys"],
    ):
        assert main(["record", "sign", "one", "--key", *by]) == 64, by
        said = capsys.readouterr()
        assert said.err.count("\n") == 1, said.err
        assert said.out == ""
    assert [p.name for p in (project / "records").iterdir()] == ["one.yaml"]


@pytest.mark.parametrize(
    "text", ["", "level: 3\n", "system: other\nlevel: 3\n", "system: one\nlevel: [\n", "\0"]
)
def test_a_record_that_is_no_record_of_the_system_is_not_signed(
    project: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    head_key(project)
    path = record(project, text)
    assert main(["record", "sign", "one", "--key", "keys/head.pem"]) == 64
    assert capsys.readouterr().err.count("\n") == 1
    assert not path.with_name("one.yaml.sig").exists()


def test_a_register_is_signed_for_every_system_in_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head_key(project)
    declare(project, f"{SIGNER}\nlevels: {{path: levels.csv}}")
    table = project / "levels.csv"
    table.write_text("Mã hệ thống,Cấp độ\nbare,2\n")
    assert main(["record", "sign", "bare", "--key", "keys/head.pem"]) == 0
    assert "✓ bare record" in capsys.readouterr().out
    assert (project / "levels.csv.sig").exists()
    table.write_text("Mã hệ thống,Cấp độ\nbare,1\n")
    assert main(["record", "verify", "bare"]) == 1
    table.write_text("Mã hệ thống,Cấp độ\nother,2\n")
    assert main(["record", "verify", "bare"]) == 2
    assert main(["record", "sign", "bare", "--key", "keys/head.pem"]) == 64


@pytest.mark.parametrize(
    "words",
    [
        ["record", "sign", "one"],
        ["record", "sign", "one", "--key", "keys/head.pem"],
        ["record", "sign", "nowhere", "--key", "keys/head.pem"],
        ["record", "new", "nowhere"],
        ["record", "verify", "nowhere"],
        ["record", "forge", "one"],
    ],
)
def test_wrong_words_are_one_line(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    head_key(project)
    assert main(words) == 64
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert said.err.startswith("sauro: ")


def test_an_undeclared_signer_is_told_how_to_be_declared(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head_key(project)
    declare(project, "")
    record(project)
    assert main(["record", "sign", "one", "--key", "keys/head.pem"]) == 0
    assert "signers" in capsys.readouterr().err
    assert main(["record", "verify", "one"]) == 2


def test_a_signature_of_the_other_kind_that_no_longer_holds_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = make("ec")
    one.write(project / "keys", "seal")
    head_key(project)
    declare(
        project,
        "signers:\n  head: {name: Bà Lan, public_key: keys/head.pub}\n"
        "  seal: {name: Con dấu, certificate: keys/seal.crt}",
    )
    path = record(project)
    by = ["--key", "keys/seal.key", "--certificate", "keys/seal.crt"]
    assert main(["record", "sign", "one", *by]) == 0
    path.write_text(path.read_text() + "# more\n")
    capsys.readouterr()
    assert main(["record", "sign", "one", "--key", "keys/head.pem"]) == 0
    said = capsys.readouterr()
    assert "✕ one record" in said.out
    assert "records/one.yaml.p7s" in said.err
    assert main(["record", "sign", "one", *by]) == 0
    assert capsys.readouterr().err == ""
    assert main(["record", "verify", "one"]) == 0


def test_the_signature_is_written_whole_and_readable_as_any_file(project: Path) -> None:
    head_key(project)
    path = record(project)
    assert main(["record", "sign", "one", "--key", "keys/head.pem"]) == 0
    mode = stat.S_IMODE(path.with_name("one.yaml.sig").stat().st_mode)
    assert mode == 0o666 & ~_umask()


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now & 0o777 | 0o022
