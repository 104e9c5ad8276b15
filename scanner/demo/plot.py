"""What is planted, as values: who stands where and which story each thing tells."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

import msgspec

from scanner.demo.kinds import HostKind
from scanner.demo.names import Invented, Place


class LevelStory(StrEnum):
    """What is wrong with the security level of a system."""

    FINE = "fine"
    UNASSESSED = "unassessed"
    """No record at all."""
    LOST_RECORD = "lost_record"
    """The inventory names a record that is not there."""
    DRAFT = "draft"
    """Proposed, never approved."""
    WRONG_AUTHORITY = "wrong_authority"
    """Approved by somebody who may not."""
    REGULATION_LATE = "regulation_late"
    """The unit's own regulation is younger than the approval."""
    REVIEW_OVERDUE = "review_overdue"
    """Approved long ago and not looked at since."""
    CLAIMED_LOW = "claimed_low"
    """The inventory claims a lower level than the approved record."""


class SealStory(StrEnum):
    """What is wrong with the signature of a level record."""

    SIGNED = "signed"
    FORGED = "forged"
    """Altered after its head signed it."""
    STRANGER = "stranger"
    """Signed by a key that nobody declared."""
    UNSIGNED = "unsigned"


class PaperStory(StrEnum):
    """What befell an approved level, beside its main story."""

    FINE = "fine"
    TOO_LOW = "too_low"
    """Recorded and approved below what its own criteria ask for."""
    DATES_SWAPPED = "dates_swapped"
    """Approved before it was appraised."""
    CHANGED_SINCE = "changed_since"
    """A change was declared after the approval."""
    DOSSIER_ALTERED = "dossier_altered"
    """A file of the dossier is not the one that was approved."""
    OLD_LAW = "old_law"
    """Approved under the law of 2015, in transition."""
    PLAN_PARTLY = "plan_partly"
    """Not every measure of the plan is carried out; the rest has a date."""
    PLAN_LAPSED = "plan_lapsed"
    """Said to be carried out in full, but a person's word on a measure has lapsed."""


class TotalsStory(StrEnum):
    """What a unit reported upwards on its levels."""

    NONE = "none"
    RIGHT = "right"
    WRONG = "wrong"
    """One system more than there is, in no group."""


class WordStory(StrEnum):
    """What is wrong with what a unit attests."""

    FINE = "fine"
    LAPSED = "lapsed"
    """The word on the yearly training has lapsed."""
    SILENT = "silent"
    """Nobody attested anything."""


class DecisionStory(StrEnum):
    """What was handed over of the decision on a level."""

    PAPER = "paper"
    """Nothing that a machine could verify."""
    SIGNED = "signed"
    """The PDF as the authority signed it."""
    ALTERED = "altered"
    """The signed PDF, its page written anew behind the signature."""
    SCANNED = "scanned"
    """A picture without any signature."""


class BackupStory(StrEnum):
    """What is wrong with a backup set."""

    FINE = "fine"
    STALE = "stale"
    """Good until days ago, then nothing."""
    ONE_GAP = "one_gap"
    """One night is missing in an otherwise good series."""
    TWO_GAPS = "two_gaps"
    """Two nights in a row are missing."""
    SHRUNKEN = "shrunken"
    """The newest copy is about a third of the usual size."""
    COLLAPSED = "collapsed"
    """The newest copy is a few percent of the usual size."""
    EMPTY = "empty"
    """The newest copies are whole gzip files with nothing in them."""
    CUT = "cut"
    """The newest dump stops before its completion mark."""
    NEVER = "never"
    """The folder is there and nothing was ever put into it."""
    NO_FOLDER = "no_folder"
    """Not even the folder is there."""


class DocsStory(StrEnum):
    """What is wrong with a unit's official correspondence."""

    FINE = "fine"
    BYPASS = "bypass"
    """Registered documents left by mail and never passed the gateway."""
    UNTRACED = "untraced"
    """Registered documents without any trace of being sent."""
    PAPER = "paper"
    """Registered documents went by post, and not through the gateway."""
    LATE = "late"
    """Sent through the gateway days after they were written."""
    NO_RECEIPT = "no_receipt"
    """Sent through the gateway, and no receipt came back."""
    GAPS = "gaps"
    """Numbers that were never given out, of documents and of arrivals."""
    UNREGISTERED = "unregistered"
    """On the gateway, and not in the register."""
    SECRET = "secret"  # noqa: S105 - a story
    """A mail carries a secrecy mark."""
    NOT_ENTERED = "not_entered"
    """Documents came in and were not registered."""
    NO_GATEWAY = "no_gateway"
    """The gateway export was not handed over."""
    NO_HEADERS = "no_headers"
    """The mail server logs neither subjects nor attachment names."""
    NO_REGISTER = "no_register"
    """The register was not handed over."""
    UNDECLARED = "undeclared"
    """The unit declared nothing about its documents."""


class AxisStory(StrEnum):
    """What a unit hands over of the document axis, beside the list of what came."""

    LIST = "list"
    """The list of what was sent, as most do."""
    PACKETS = "packets"
    """No list, but the packets themselves with their status messages."""
    UNSIGNED = "unsigned"
    """The same; the organisation did not sign every PDF in them."""
    OUTAGE = "outage"
    """The list and the exchange's own log, which proves that it failed while something was mailed.
    """


class HostPlot(msgspec.Struct, frozen=True, kw_only=True):
    """One server of a unit."""

    id: str
    kind: HostKind = HostKind.NORMAL
    skew: int = 0
    """Seconds by which its clock is ahead."""
    role: str = "app"


class SetPlot(msgspec.Struct, frozen=True, kw_only=True):
    """One backup set."""

    id: str
    dump: str
    """`pg`, `my` or `tar`: what the files hold."""
    days: int = 1
    """Days between two runs."""
    hour: int = 2
    """Hour of the run in the demo's zone."""
    cron: bool = False
    """Declared as a cron expression instead of a duration."""
    store: str = ""
    """Server on which the copies lie; empty for the system's `host`."""
    copy_of: str = ""
    """Set whose data it holds once more."""
    restored: int = 0
    """How many days ago a restore was tried and registered; 0 for never."""
    story: BackupStory = BackupStory.FINE

    @property
    def every(self) -> str:
        """As the inventory says it."""
        return f"0 {self.hour} * * *" if self.cron else f"{self.days}d"


class SystemPlot(msgspec.Struct, frozen=True, kw_only=True):
    """One information system; its copies lie on `host`."""

    id: str
    kind: str
    """Key of `scanner.demo.systems.KINDS`."""
    host: str
    runs_on: str = ""
    """Server whose data is backed up; empty when the copies lie on that very server."""
    ruled: bool = True
    """The unit has a written backup rule and declared it."""
    story: LevelStory = LevelStory.FINE
    seal: SealStory = SealStory.SIGNED
    decision: DecisionStory = DecisionStory.PAPER
    paper: PaperStory = PaperStory.FINE
    approved: dt.date | None = None
    """Day of the approval; None when there is none."""
    sets: tuple[SetPlot, ...] = ()
    """Empty when the unit declared no backup."""


class DocsPlot(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's correspondence; the mail log lies on `mail_host`, or in the project when empty."""

    story: DocsStory = DocsStory.FINE
    axis: AxisStory = AxisStory.LIST
    mail_host: str = ""


class UnitPlot(msgspec.Struct, frozen=True, kw_only=True):
    """One ward or commune."""

    place: Place
    accountable: Invented
    officer: Invented
    hosts: tuple[HostPlot, ...]
    systems: tuple[SystemPlot, ...]
    docs: DocsPlot
    words: WordStory = WordStory.FINE
    totals: TotalsStory = TotalsStory.NONE


class WaiverPlot(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted risk in a unit's file."""

    unit: str
    check: str
    target: str
    """`system` or `system/set`."""
    until: dt.date


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """The whole planted world; `now` is aware and in the demo's zone."""

    now: dt.datetime
    units: tuple[UnitPlot, ...]
    waivers: tuple[WaiverPlot, ...] = ()

    @property
    def hosts(self) -> tuple[HostPlot, ...]:
        """Every server, in the order in which the fleet gets its addresses."""
        return tuple(host for unit in self.units for host in unit.hosts)
