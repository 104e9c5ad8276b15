"""The planted folder: loads as an inventory, is the same for the same seed, holds what it says."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import random
import stat
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from inventory.load import load
from inventory.model import Inventory
from scanner.config import load_settings
from scanner.demo.casting import cast
from scanner.demo.demo import make_room
from scanner.demo.kinds import HostKind
from scanner.demo.layout import host_home, mail_log, set_folder
from scanner.demo.names import places
from scanner.demo.places import Endpoint, reserve
from scanner.demo.plant import Planted, plan, plant
from scanner.demo.plot import BackupStory, DocsStory, LevelStory, Plot
from scanner.demo.records import record_path
from scanner.errors import UserError

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = dt.datetime(2026, 11, 22, 1, 20, tzinfo=dt.UTC)


def lots_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - repeatable on purpose


def seeded_keys(seed: int) -> Callable[[], Ed25519PrivateKey]:
    lots = lots_of(seed)
    return lambda: Ed25519PrivateKey.from_private_bytes(lots.randbytes(32))


def planted_in(out: Path, seed: int = 6, *, one_address: bool = False) -> Planted:
    lots = lots_of(seed)
    plot = plan(3, NOW, ZONE, lots)
    endpoints = tuple(
        Endpoint("127.0.0.1", 40000 + n) if one_address else Endpoint(f"127.77.0.{n + 1}", 22022)
        for n in range(len(plot.hosts))
    )
    return plant(out, plot, endpoints, lots, seeded_keys(seed))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return planted_in(tmp_path_factory.mktemp("demo") / "d")


@pytest.fixture(scope="module")
def loaded(small: Planted) -> Inventory:
    return load(Path("inventory"), small.out, Path("agencies.csv"))


def digest(out: Path) -> dict[str, str]:
    """Digest per file, with the folder's own name taken out; private keys hold random padding."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if path.is_file() and not (name.startswith("keys/") and path.suffix != ".pub"):
            data = path.read_bytes().replace(str(out).encode(), b"@")
            mtime = path.stat().st_mtime if name.startswith("hosts/") and "srv" in name else 0
            found[name] = hashlib.sha256(data + repr(mtime).encode()).hexdigest()
    return found


def test_the_126_units_are_all_there_and_told_apart() -> None:
    units = places(126)
    assert Counter(u.kind for u in units) == {"ward": 51, "commune": 75}
    for part in ("code", "slug", "sign", "axis_code", "domain", "title"):
        assert len({getattr(u, part) for u in units}) == 126, part
    assert units[0].title == "Phường Ba Đình"
    assert units[0].sign == "UBND-BĐ"


def test_the_same_seed_plants_the_same_tree(tmp_path: Path) -> None:
    planted_in(tmp_path / "a")
    planted_in(tmp_path / "b")
    planted_in(tmp_path / "c", seed=7)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert digest(tmp_path / "a") != digest(tmp_path / "c")


def test_the_folder_loads_as_a_project(small: Planted, loaded: Inventory) -> None:
    plot = small.plot
    assert load_settings(small.out).timezone == "Asia/Ho_Chi_Minh"
    scanned = [u for u in loaded.units.values() if not u.external]
    assert [u.id for u in scanned] == [u.place.code for u in plot.units]
    assert list(loaded.servers) == [h.id for h in plot.hosts]
    assert len(loaded.systems) == sum(len(u.systems) for u in plot.units)
    assert len(loaded.waivers) == len(plot.waivers) == 2
    assert {u.id for u in loaded.units.values() if u.external} == {"ha-noi", "ca-ha-noi"}
    assert (small.out / "SIMULATED").read_text(encoding="utf-8").startswith("Dữ liệu mô phỏng")


def test_where_there_is_one_address_every_server_has_a_port_of_its_own(tmp_path: Path) -> None:
    small = planted_in(tmp_path / "d", one_address=True)
    found = load(Path("inventory"), small.out, Path("agencies.csv"))
    ports = [server.ssh.port for server in found.servers.values()]
    assert ports == [40000 + n for n in range(len(ports))]
    assert {server.ssh.key_file for server in found.servers.values()} == {"keys/scan"}
    assert "[127.0.0.1]:40001 ssh-ed25519 " in (small.out / "known_hosts").read_text()


def test_ports_are_reserved_on_one_address_when_the_others_do_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("scanner.demo.places._usable", lambda _: False)
    reserved = reserve(5)
    try:
        assert {e.address for e in reserved.endpoints} == {"127.0.0.1"}
        assert len({e.port for e in reserved.endpoints}) == 5
    finally:
        reserved.close()


def test_two_demos_at_once_do_not_share_ports() -> None:
    one, other = reserve(5), reserve(5)
    try:
        assert set(one.endpoints).isdisjoint(other.endpoints)
    finally:
        one.close()
        other.close()


def test_every_path_of_the_inventory_leads_to_the_planted_files(
    small: Planted, loaded: Inventory
) -> None:
    for unit in small.plot.units:
        for system in unit.systems:
            declared = loaded.systems[system.id]
            assert declared.assessment == record_path(system)
            wanted = system.story not in (LevelStory.UNASSESSED, LevelStory.LOST_RECORD)
            assert (small.out / "records" / f"{system.id}.yaml").exists() == wanted
            assert {b.id for b in declared.backups} == {b.id for b in system.sets}
            for backup in declared.backups:
                folder, _, pattern = backup.path.rpartition("/")
                story = next(b.story for b in system.sets if b.id == backup.id)
                assert Path(folder).exists() == (story is not BackupStory.NO_FOLDER)
                none = story in (BackupStory.NO_FOLDER, BackupStory.NEVER)
                assert bool(list(Path(folder).glob(pattern))) != none
        if unit.docs.story is not DocsStory.UNDECLARED:
            assert mail_log(small.out, unit.place.code, unit.docs.mail_host).stat().st_size


def test_keys_are_private_and_the_changed_ones_are_not_the_believed_ones(
    small: Planted, loaded: Inventory
) -> None:
    for path in (small.out / "keys").rglob("*"):
        if path.is_file() and path.suffix != ".pub":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    known = dict(
        line.split(" ", 1) for line in (small.out / "known_hosts").read_text().splitlines()
    )
    servers = loaded.servers.values()
    for server, host, pair in zip(servers, small.plot.hosts, small.keys.hosts, strict=True):
        believed = server.host_key or known[f"[{server.address}]:{server.ssh.port}"]
        assert (believed == pair.public) == (host.kind is not HostKind.CHANGED_KEY)


@pytest.mark.parametrize("units", [3, 5, 20, 126])
def test_every_story_finds_a_role(units: int) -> None:
    plot = cast(units, NOW.astimezone(ZONE), lots_of(6))
    sets = [b for u in plot.units for s in u.systems for b in s.sets]
    assert {h.kind for h in plot.hosts} == set(HostKind)
    assert {b.story for b in sets} == set(BackupStory)
    systems = [s for u in plot.units for s in u.systems]
    assert {s.story for s in systems} >= set(LevelStory) - {LevelStory.CLAIMED_LOW}
    assert any(not s.sets for s in systems)
    if units >= 20:
        assert {u.docs.story for u in plot.units} == set(DocsStory)
    assert sum(b.story is BackupStory.FINE for b in sets) > len(sets) / 3


def test_the_whole_city_has_about_200_servers() -> None:
    plot = cast(126, NOW.astimezone(ZONE), lots_of(6))
    assert (len(plot.units), len(plot.hosts)) == (126, 200)
    assert {s.story for u in plot.units for s in u.systems} == set(LevelStory)
    fine = [b.story is BackupStory.FINE for u in plot.units for s in u.systems for b in s.sets]
    assert sum(fine) > 0.8 * len(fine)


@pytest.mark.parametrize("units", [2, 127])
def test_too_few_and_too_many_units_are_refused(units: int) -> None:
    with pytest.raises(ValueError, match="3 to 126"):
        cast(units, NOW.astimezone(ZONE), lots_of(6))


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_whatever_the_hour_no_run_is_just_due(hour: int) -> None:
    now = dt.datetime(2026, 11, 22, hour, 59, tzinfo=ZONE)
    plot = cast(20, now, lots_of(1))
    for backup in (b for u in plot.units for s in u.systems for b in s.sets):
        assert 1 <= (now.hour - backup.hour) % 24 <= 22


def newest(small: Planted, story: BackupStory) -> list[Path]:
    for unit in small.plot.units:
        for system in unit.systems:
            for backup in system.sets:
                if backup.story is story:
                    folder = set_folder(small.out, system, backup)
                    return sorted(folder.iterdir(), reverse=True)
    raise AssertionError(story)


def whole(small: Planted, story: BackupStory) -> bool:
    """Whether the newest copy of a set with this story ends as it should."""
    path = newest(small, story)[0]
    with gzip.open(path) as packed:
        text = packed.read()
    return b"dump complete" in text[-200:] or b"Dump completed on" in text[-200:]


def test_backup_files_are_what_their_stories_say(small: Planted) -> None:
    assert newest(small, BackupStory.EMPTY)[0].stat().st_size == 20
    assert not whole(small, BackupStory.CUT)
    shrunken = [p.stat().st_size for p in newest(small, BackupStory.SHRUNKEN)]
    assert 0.25 < shrunken[0] / shrunken[1] < 0.45
    collapsed = [p.stat().st_size for p in newest(small, BackupStory.COLLAPSED)]
    assert collapsed[0] / collapsed[-1] < 0.08
    age = NOW.timestamp() - newest(small, BackupStory.STALE)[0].stat().st_mtime
    assert age > 5 * 86400


def test_fine_sets_are_real_archives_with_plausible_sizes(small: Planted) -> None:
    for unit in small.plot.units:
        for system in unit.systems:
            for backup in (b for b in system.sets if b.story is BackupStory.FINE):
                files = sorted(set_folder(small.out, system, backup).iterdir())
                sizes = [p.stat().st_size for p in files]
                assert min(sizes) > 0.8 * max(sizes)
                if backup.dump == "tar":
                    with tarfile.open(files[-1]) as archive:
                        assert archive.getnames() == ["du-lieu/tep-mo-phong.bin"]
                else:
                    assert gzip.decompress(files[-1].read_bytes()).startswith(b"--")
                ages = [NOW.timestamp() - p.stat().st_mtime for p in files]
                assert min(ages) > 1800


def test_a_skewed_host_also_stamps_its_files_wrongly(small: Planted) -> None:
    plot: Plot = small.plot
    host = next(h for h in plot.hosts if h.kind is HostKind.SKEWED)
    wrapper = host_home(small.out, host.id) / "bin" / "date"
    assert str(host.skew) in wrapper.read_text(encoding="utf-8")
    assert wrapper.stat().st_mode & 0o111


def test_people_and_domains_are_recognisably_invented(small: Planted) -> None:
    for unit in small.plot.units:
        for holder in (unit.accountable, unit.officer):
            assert holder.email.endswith(".hanoi.example")
    for path in [*small.out.glob("inventory/*.yaml"), *small.out.glob("records/*.yaml")]:
        assert path.read_text(encoding="utf-8").startswith("# Dữ liệu mô phỏng")


def test_only_an_earlier_demo_is_ever_removed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    make_room(mine)
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="not empty and no earlier demo"):
        make_room(mine)
    assert (mine / "thesis.txt").exists()
    (mine / "SIMULATED").write_text("")
    make_room(mine)
    assert not mine.exists()
    make_room(mine)
