"""The phrases about backups and rows that page and terminal share; nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from checks.model import STATUS_ORDER, Status
from reports.model_backup import BackupView, CopyView, Duty, Line, NextLevel, Strip
from reports.words import Words

_TWICE = 2


class Group(msgspec.Struct, frozen=True):
    """Rows of one state: every sentence once, with how many rows say it."""

    status: Status
    n: int
    sentences: tuple[tuple[str, int, bool], ...]
    """Sentence, number of rows, and whether all of them are waived."""


def groups(lines: Iterable[Line]) -> tuple[Group, ...]:
    """Rows without a pass by state, worst first; what does not apply is told elsewhere."""
    made = []
    for status in STATUS_ORDER[:3]:
        mine = [x for x in lines if x.status is status]
        sentences = dict.fromkeys(x.sentence for x in mine)
        told = tuple(
            (s, len(same), all(x.waived for x in same))
            for s in sentences
            for same in [[x for x in mine if x.sentence == s]]
        )
        if mine:
            made.append(Group(status=status, n=len(mine), sentences=told))
    return tuple(made)


def terse(lines: Iterable[Line]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The titles of rows by what they speak of."""
    found: dict[str, dict[str, None]] = {}
    for each in lines:
        found.setdefault(each.subject, {})[each.title] = None
    return tuple((subject, tuple(titles)) for subject, titles in found.items())


def by_sentence(lines: Iterable[Line]) -> tuple[tuple[Status, str, tuple[str, ...]], ...]:
    """Every sentence once, with the titles and subjects of the rows that say it."""
    found: dict[tuple[Status, str], dict[str, None]] = {}
    for each in lines:
        name = f"{each.title} ({each.subject})" if "/" in each.subject else each.title
        found.setdefault((each.status, each.sentence), {})[name] = None
    return tuple((*key, tuple(titles)) for key, titles in found.items())


class Sayings:
    """Phrases in one language."""

    def __init__(self, words: Words) -> None:
        self._t = words

    def promise(self, b: BackupView) -> str:
        """How often a copy is promised, and by whose number."""
        t = self._t
        if b.promised is None and not b.every:
            return t("backup_no_promise")
        every = t.duration(b.promised) if b.promised is not None else b.every
        if b.workdays:
            every = t("backup_workdays")
        key = "backup_promise_assumed" if b.promise_assumed else "backup_promise"
        return t(key, every=every)

    def newest(self, b: BackupView) -> str:
        """How old the newest copy is, with the ratio of the promise; empty when not known."""
        t = self._t
        if b.age is not None:
            said = t("backup_newest", age=t.duration(b.age))
        elif b.newest is not None:
            said = t("backup_newest_at", moment=t.moment(b.newest))
        else:
            return t("backup_newest_unknown")
        return said if b.ratio is None else f"{said} ({self.ratio(b.ratio)})"

    def ratio(self, ratio: float) -> str:
        """`9 times what was promised`; never says once for what is late, or not yet due."""
        shown = float(round(ratio)) if ratio >= _TWICE else round(ratio, 1)
        if ratio > 1:
            shown = max(shown, 1.1)
        elif ratio < 1:
            shown = min(shown, 0.9)
        if ratio > 0 and not shown:
            return self._t("backup_ratio_tiny")
        return self._t("backup_ratio", n=shown)

    def strip(self, strip: Strip) -> str:
        """The slots of a strip in words."""
        t = self._t
        first, last = (t.short_day(t.date_of(strip.slots[at][0])) for at in (0, -1))
        said = ", ".join(t(f"slot_{c.key}", n=c.n) for c in strip.counts)
        return t("strip", n=len(strip.slots), first=first, last=last, list=said)

    def sizes(self, sizes: Sequence[float]) -> str:
        """The first and last size in words, with the change between them."""
        t = self._t
        first, last = sizes[0], sizes[-1]
        said = t("backup_sizes", n=len(sizes), first=t.size(first), last=t.size(last))
        if not first:
            return said
        change = round(100 * (last - first) / first)
        if change == -100 and last:
            change = -99  # something is left
        if abs(change) < 1:
            return f"{said}, {t('change_none')}"
        return f"{said}, {t('size_up' if change > 0 else 'size_down', n=abs(change))}"

    def copy(self, c: CopyView) -> str:
        """One place: which, where, apart or not, what protects it."""
        t = self._t
        parts = [c.device or t("not_named"), c.platform, self._site(c)]
        parts.append(t(f"copy_own_{_answer(c.own_host)}"))
        if c.fresh is False:
            parts.append(t("copy_stale"))
        parts += [t(f"copy_encrypted_{c.encrypted}"), t(f"copy_immutable_{c.immutable}")]
        return " · ".join(p for p in parts if p)

    def _site(self, c: CopyView) -> str:
        if not c.site:
            return self._t("copy_site_unknown")
        key = "unknown_site" if c.elsewhere is None else _answer(c.elsewhere)
        return self._t(f"copy_site_{key}", site=c.site)

    def copies(self, b: BackupView) -> tuple[str, ...]:
        """Every place, or why none is known."""
        t = self._t
        said = [self.copy(c) for c in b.copies]
        if b.copies_left:
            said.append(t("copies_left", n=b.copies_left))
        if b.copies_unseen:
            said.append(t("copies_unseen", why=b.copies_unseen))
        return tuple(said) or (t("copies_none"),)

    def verified(self, b: BackupView) -> str:
        """Whether the copies were verified, and when last."""
        t = self._t
        if b.verified_at is not None:
            return t(f"verified_{b.verified}_at", day=t.day(t.date_of(b.verified_at)))
        return t(f"verified_{b.verified}")

    def restore(self, b: BackupView) -> str:
        """The trial restore that counts: day, result, and on whose word."""
        t = self._t
        if b.restore is None:
            return t("restore_none")
        parts = [t("restore_ok" if b.restore_ok else "restore_failed", day=t.day(b.restore))]
        if b.restore_sample:
            parts.append(t("restore_sample"))
        parts.append(t("restore_person" if b.restore_person else "restore_record"))
        if b.restore_document:
            parts.append(b.restore_document)
        return " · ".join(parts)

    def safety(self, b: BackupView) -> str:
        """Whether the protected server can delete its copies."""
        return self._t(f"protected_{b.protected}")

    def facts(self, b: BackupView) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Label and values of what is known of a set's copies."""
        t = self._t
        remarks = ((t("label_remarks"), b.remarks),) if b.remarks else ()
        return (
            (t("label_copies"), self.copies(b)),
            (t("label_protected"), (self.safety(b),)),
            (t("label_verified"), (self.verified(b),)),
            (t("label_restore"), (self.restore(b),)),
            *remarks,
        )

    def next_title(self, n: NextLevel) -> str:
        """Whether backup is ready for the next level."""
        if n.met:
            return self._t("next_met", level=n.level)
        # What could not be seen is no shortfall, and no proof that there is none.
        return self._t("next_not" if n.missing else "next_unknown", level=n.level)

    def next_lines(self, n: NextLevel) -> tuple[tuple[str, str], ...]:
        """What is missing, what would be good, what cannot be told: label and list."""
        found = (
            ("next_missing", n.missing),
            ("next_advised", n.advised),
            ("next_unclear", n.unclear),
        )
        return tuple((self._t(key), self._duties(duties)) for key, duties in found if duties)

    def _duties(self, duties: Iterable[Duty]) -> str:
        return "; ".join(
            f"{d.title} ({', '.join(d.subjects)})" if d.subjects else d.title for d in duties
        )


def _answer(flag: bool | None) -> str:
    return "unknown" if flag is None else "yes" if flag else "no"
