"""The project folder and its settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.problems import InvalidInput
from scanner.config import Settings, find_project, load_settings
from scanner.transports.base import SizeLimits, SshLimits


def put(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "sauro.yaml").write_text(text, encoding="utf-8")
    return folder


def faults(project: Path, text: str) -> list[str]:
    put(project, text)
    with pytest.raises(InvalidInput) as caught:
        load_settings(project)
    return [str(p) for p in caught.value.problems]


@pytest.mark.parametrize("text", ["", "# nothing but words\n\n", "{}", "\ufeff# words"])
def test_every_key_has_a_default(tmp_path: Path, text: str) -> None:
    settings = load_settings(put(tmp_path, text))
    assert settings == Settings(
        inventory="inventory",
        store="sauro.db",
        language="vi",
        legal_basis=2026,
        timezone="Asia/Ho_Chi_Minh",
        agencies="agencies.csv",
        coverage_floor=80,
        ssh=SshLimits(),
        limits=SizeLimits(),
        policy={},
    )


def test_the_contract_reads(tmp_path: Path) -> None:
    (tmp_path / "list.csv").touch()
    settings = load_settings(
        put(
            tmp_path,
            """
            inventory: units
            store: postgresql://sauro@db.example/sauro
            language: en
            legal_basis: 2016
            timezone: UTC
            agencies: list.csv
            coverage_floor: 90
            ssh: {workers: 8, connect_timeout: 2.5, host_timeout: 60, known_hosts: kh, config: c}
            limits: {section_bytes: 4096, host_bytes: 8192}
            watch: "0 2 * * *"
            policy: {backup.recent: {days: 3}}
            """,
        )
    )
    assert settings == Settings(
        inventory="units",
        store="postgresql://sauro@db.example/sauro",
        language="en",
        legal_basis=2016,
        timezone="UTC",
        agencies="list.csv",
        coverage_floor=90,
        ssh=SshLimits(
            workers=8, connect_timeout=2.5, host_timeout=60, known_hosts="kh", config="c"
        ),
        limits=SizeLimits(section_bytes=4096, host_bytes=8192),
        watch="0 2 * * *",
        policy={"backup.recent": {"days": 3}},
    )
    assert settings.postgresql


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("langauge: vi", "langauge: unknown key; did you mean 'language'?"),
        ("language: fr", "language: 'fr' is not one of: en, vi"),
        ("legal_basis: 2020", "legal_basis: '2020' is not one of: 2016, 2026"),
        (
            "timezone: Asia/Hanoi",
            "timezone: unknown time zone 'Asia/Hanoi': give a name like Asia/Ho_Chi_Minh",
        ),
        ("timezone: ../../etc/passwd", "timezone: unknown time zone '../../etc/passwd'"),
        ("coverage_floor: 101", "coverage_floor: 101 is out of range: give a number from 0 to 100"),
        ("coverage_floor: -1", "coverage_floor: -1 is out of range"),
        ("ssh: {workers: 0}", "ssh.workers: 0 is out of range: give a number from 1 to 512"),
        ("ssh: {workers: 513}", "ssh.workers: 513 is out of range"),
        ("ssh: {wokers: 5}", "ssh.wokers: unknown key; did you mean 'workers'?"),
        (
            "ssh: {connect_timeout: 0}",
            "ssh.connect_timeout: 0 is out of range: give a number from 0.1 to 600",
        ),
        ("ssh: {host_timeout: 0.5}", "ssh.host_timeout: 0.5 is out of range"),
        ("ssh: {connect_timeout: 500}", "ssh.connect_timeout: is over host_timeout: lower it"),
        ("ssh: {retries: 99}", "ssh.retries: 99 is out of range"),
        ("limits: {section_bytes: 1}", "limits.section_bytes: 1 is out of range"),
        ("limits: {host_bytes: 2048}", "limits.section_bytes: is over host_bytes"),
        ("store: mysql://x:pw@h/db", "store: expected a file or a postgresql:// URL: correct it"),
        ("store: ''", "store: is empty"),
        ("agencies: nowhere.csv", "agencies: there is no file 'nowhere.csv': create it or remove"),
        ("watch: daily", "watch: expected a number and a unit"),
        ("policy: {backup.recent: 3}", "policy.backup.recent: expected a mapping"),
    ],
)
def test_mistakes_have_their_place_and_remedy(tmp_path: Path, line: str, message: str) -> None:
    (found,) = faults(tmp_path, "# settings\n" + line + "\n")
    assert found.startswith("sauro.yaml:2: " + message)
    assert "pw" not in found


def test_all_mistakes_come_in_one_go(tmp_path: Path) -> None:
    text = "stroe: x\nssh:\n  retries: 99\n  workers: 0\n"
    assert [f.split(": ")[0] for f in faults(tmp_path, text)] == [
        "sauro.yaml:1",
        "sauro.yaml:3",
        "sauro.yaml:4",
    ]


def test_rules_between_keys_come_in_one_go(tmp_path: Path) -> None:
    text = "ssh: {host_timeout: 5}\nagencies: no.csv\nstore: x://y\n"
    assert [f.split(": ")[:2] for f in faults(tmp_path, text)] == [
        ["sauro.yaml:1", "ssh.connect_timeout"],
        ["sauro.yaml:2", "agencies"],
        ["sauro.yaml:3", "store"],
    ]


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "sauro.yaml").mkdir()
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_settings(tmp_path)


def test_a_huge_file_is_no_settings(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, "#" * (1024 * 1024 + 1))
    assert found == "sauro.yaml: is larger than 1024 KiB: these are not settings"


def test_the_option_goes_before_the_environment_before_the_working_folder(tmp_path: Path) -> None:
    here, named, given = (put(tmp_path / name, "") for name in ("here", "named", "given"))
    environ = {"SAURO_PROJECT": str(named)}
    assert find_project(here, given, environ) == given
    assert find_project(here, None, environ) == named
    assert find_project(here, None, {}) == here
    assert find_project(here, None, {"SAURO_PROJECT": ""}) == here


def test_relative_names_start_at_the_working_folder(tmp_path: Path) -> None:
    put(tmp_path / "p", "")
    assert find_project(tmp_path, Path("p"), {}) == tmp_path / "p"
    assert find_project(tmp_path, None, {"SAURO_PROJECT": "p"}) == tmp_path / "p"


def test_no_folder_above_is_taken(tmp_path: Path) -> None:
    below = put(tmp_path, "") / "below"
    below.mkdir()
    with pytest.raises(InvalidInput, match=r"has no sauro\.yaml: go to the project folder"):
        find_project(below, None, {})


@pytest.mark.parametrize(
    ("given", "environ", "source"),
    [(Path("no"), {}, "--project"), (None, {"SAURO_PROJECT": "no"}, "SAURO_PROJECT")],
)
def test_a_wrong_name_does_not_fall_back(
    tmp_path: Path, given: Path | None, environ: dict[str, str], source: str
) -> None:
    put(tmp_path, "")
    with pytest.raises(InvalidInput) as caught:
        find_project(tmp_path, given, environ)
    assert str(caught.value) == (
        f"{source}: {tmp_path / 'no'} has no sauro.yaml: correct {source}, or make a project "
        "there with `sauro init`"
    )
