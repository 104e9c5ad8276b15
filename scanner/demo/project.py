"""The demo's project folder: settings, one inventory file per unit, agency directory, keys."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import msgspec

from scanner.demo.decisions import ROOT, decision_path
from scanner.demo.documents import declared
from scanner.demo.dossiers import attestation_lines
from scanner.demo.keys import KeyPair, NewKey, key_pair
from scanner.demo.kinds import HostKind
from scanner.demo.layout import set_folder
from scanner.demo.names import CITY, POLICE, Invented, Place
from scanner.demo.places import Endpoint
from scanner.demo.plot import HostPlot, Plot, SetPlot, SystemPlot, UnitPlot, WaiverPlot
from scanner.demo.records import HEADER, record_path, totals_lines
from scanner.demo.seals import declared_signer
from scanner.demo.systems import KINDS

USER = "sauro"
KEY_FILE = "keys/scan"
_PIN_EVERY = 5
"""Every so many servers the key is pinned in the inventory, the others stand in known_hosts."""

_SETTINGS = """\
inventory: inventory
store: sauro.db
language: vi
legal_basis: 2026
timezone: Asia/Ho_Chi_Minh
agencies: agencies.csv
ssh: {workers: 16, connect_timeout: 15, host_timeout: 120, known_hosts: known_hosts,
      config: ssh_config}
"""

_EXTERNAL = f"""\
unit: {CITY}
name: UBND thành phố Hà Nội
kind: city
external: true
accountable: {{name: Nguyễn Văn Minh Họa, post: Chủ tịch UBND thành phố}}
letter: {{address: 1 phố Mô Phỏng, phone: "024.0000.0001", email: van-thu@ha-noi.example,
         sign: UBND-MP, place: Hà Nội}}
trust_roots: [{ROOT}]
---
unit: {POLICE}
name: Công an thành phố Hà Nội
kind: agency
parent: {CITY}
external: true
accountable: {{name: Trần Thị Minh Họa, post: Giám đốc Công an thành phố}}
letter: {{mandate: 1/QĐ-MP, address: 2 phố Mô Phỏng, phone: "024.0000.0002",
         email: van-thu@ca-ha-noi.example}}
"""


class Keys(msgspec.Struct, frozen=True):
    """The login key and, per server in the plot's order, the key that it really has."""

    login: KeyPair
    hosts: tuple[KeyPair, ...]


def host_key_file(out: Path, host: HostPlot) -> Path:
    """Where the private key of a server lies."""
    return out / "keys" / "hosts" / host.id


def make_keys(plot: Plot, new_key: NewKey) -> Keys:
    """New keys for everybody."""
    return Keys(key_pair(new_key), tuple(key_pair(new_key) for _ in plot.hosts))


def write_project(
    out: Path, plot: Plot, keys: Keys, endpoints: tuple[Endpoint, ...], new_key: NewKey
) -> None:
    """Write everything but the evidence itself."""
    (out / "SIMULATED").write_text("Dữ liệu mô phỏng\n", encoding="utf-8")
    (out / "sauro.yaml").write_text(HEADER + _SETTINGS, encoding="utf-8")
    (out / "ssh_config").write_text(HEADER, encoding="utf-8")
    _write_keys(out, plot, keys)
    believed = _believed_keys(plot, keys, new_key)
    pinned = frozenset(range(0, len(plot.hosts), _PIN_EVERY))
    lines = [
        f"{endpoint.known_as} {key}\n"
        for n, (endpoint, key) in enumerate(zip(endpoints, believed, strict=True))
        if n not in pinned
    ]
    (out / "known_hosts").write_text("".join(lines))
    inventory = out / "inventory"
    inventory.mkdir()
    (inventory / "00-ben-ngoai.yaml").write_text(HEADER + _EXTERNAL, encoding="utf-8")
    sites = {host.id: f"tru-so-{unit.place.slug}" for unit in plot.units for host in unit.hosts}
    servers = {
        host.id: _server(
            host, endpoints[n], believed[n] if n in pinned else "", endpoints[0], sites[host.id]
        )
        for n, host in enumerate(plot.hosts)
    }
    for unit in plot.units:
        text = _unit(out, unit, servers, endpoints[0], plot)
        name = f"{unit.place.code}-{unit.place.slug}.yaml"
        (inventory / name).write_text(HEADER + text, encoding="utf-8")


def _write_keys(out: Path, plot: Plot, keys: Keys) -> None:
    (out / "keys").mkdir(mode=0o700)
    (out / "keys" / "hosts").mkdir(mode=0o700)
    keys.login.write(out / KEY_FILE)
    (out / f"{KEY_FILE}.pub").write_text(keys.login.public + "\n")
    for host, pair in zip(plot.hosts, keys.hosts, strict=True):
        pair.write(host_key_file(out, host))


def _believed_keys(plot: Plot, keys: Keys, new_key: NewKey) -> list[str]:
    """What the project believes each server's key to be: wrong for those that changed theirs."""
    return [
        key_pair(new_key).public if host.kind is HostKind.CHANGED_KEY else pair.public
        for host, pair in zip(plot.hosts, keys.hosts, strict=True)
    ]


def quoted(text: str) -> str:
    """Text as a YAML scalar that cannot be mistaken for anything else."""
    return json.dumps(text, ensure_ascii=False)


def _server(host: HostPlot, endpoint: Endpoint, pin: str, first: Endpoint, site: str) -> list[str]:
    port = f", ssh: {{port: {endpoint.port}}}" if endpoint.port != first.port else ""
    key = f", host_key: {pin}" if pin else ""
    place = f"address: {endpoint.address}, tags: [{host.role}], site: {site}"
    return [f"  {host.id}: {{{place}{port}{key}}}"]


def _person(person: Invented) -> str:
    return f"{{name: {person.name}, post: {person.post}, email: {person.email}}}"


def _unit(
    out: Path, unit: UnitPlot, servers: dict[str, list[str]], first: Endpoint, plot: Plot
) -> str:
    place = unit.place
    lines = [
        f'unit: "{place.code}"',
        f"name: {place.title}",
        f"kind: {place.kind}",
        f"parent: {CITY}",
        f"accountable: {_person(unit.accountable)}",
        f"officer: {_person(unit.officer)}",
        f"letter: {{place: {place.name}}}",
        "zone: mo-phong",
        f"ssh: {{user: {USER}, port: {first.port}, key_file: {KEY_FILE}}}",
        "",
        "servers:",
    ]
    for host in unit.hosts:
        lines += servers[host.id]
    lines += ["", "systems:"]
    for system in unit.systems:
        lines += _system(out, place, system, plot.now.date())
    lines += declared(out, unit)
    lines += declared_signer(unit)
    lines += attestation_lines(unit, plot.now.date())
    lines += totals_lines(unit)
    lines += _waivers([w for w in plot.waivers if w.unit == place.code], unit)
    return "\n".join(lines) + "\n"


def _system(out: Path, place: Place, system: SystemPlot, today: dt.date) -> list[str]:
    kind = KINDS[system.kind]
    lines = [
        f"  {system.id}:",
        f"    name: {kind.name} {place.title}",
        f"    owner: {CITY}",
        f'    operator: "{place.code}"',
        f"    security_unit: {POLICE}",
        f'    used_by: ["{place.code}"]',
        f"    level: {kind.level}",
        f"    servers: [{system.runs_on or system.host}]",
    ]
    if record_path(system):
        lines.append(f"    assessment: {record_path(system)}")
    if decision_path(system):
        lines.append(f"    decision: {decision_path(system)}")
    if system.ruled:
        day = today - dt.timedelta(days=200)
        lines.append(f"    backup_rule: {{document: 07/QĐ-{place.sign}, date: {day}}}")
    if system.sets:
        lines.append("    backups:")
        for backup in system.sets:
            lines += _backup(out, system, backup, today)
    return lines


def _backup(out: Path, system: SystemPlot, backup: SetPlot, today: dt.date) -> list[str]:
    pattern = "*.tar.gz" if backup.dump == "tar" else "*.sql.gz"
    path = set_folder(out, system, backup) / pattern
    return [
        f"      {backup.id}:",
        "        kind: directory",
        f"        server: {backup.store or system.host}",
        f"        path: {quoted(str(path))}",
        *([f"        copy_of: {backup.copy_of}"] if backup.copy_of else []),
        f"        every: {quoted(backup.every)}",
        f"        keep: {'30d' if backup.days == 1 else '12w'}",
        f"        effective_from: {today - dt.timedelta(days=400)}",
        *_restores(backup, today),
    ]


def _restores(backup: SetPlot, today: dt.date) -> list[str]:
    if not backup.restored:
        return []
    day = today - dt.timedelta(days=backup.restored)
    minutes = 20 + backup.restored % 90
    test = f"date: {day}, result: ok, minutes: {minutes}, document: {backup.restored}/BB-CNTT"
    return ["        restore_tests:", f"          - {{{test}}}"]


def _waivers(waivers: list[WaiverPlot], unit: UnitPlot) -> list[str]:
    lines = ["", "waivers:"] if waivers else []
    for waiver in waivers:
        lines += [
            f"  - check: {waiver.check}",
            f"    target: {waiver.target}",
            "    reason: Đang thay thiết bị, tạm chấp nhận rủi ro (giả định)",
            f"    document: 12/TB-{unit.place.sign}",
            f"    approved_by: {unit.accountable.post}",
            f"    owner: {unit.officer.post}",
            f"    until: {waiver.until}",
        ]
    return lines
