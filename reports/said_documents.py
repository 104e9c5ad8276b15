"""The phrases about documents that page and terminal share; nothing is judged here."""

from __future__ import annotations

from reports.model_backup import Count
from reports.model_documents import Block, DocumentsView
from reports.words import Words


class DocumentSayings:
    """Phrases in one language."""

    def __init__(self, words: Words) -> None:
        self._t = words

    def rate(self, v: DocumentsView) -> str:
        """The rate with what it stands on, or that too little was seen to give one."""
        t = self._t
        days = t("documents_days", start=v.start, end=v.end)
        seen = t("documents_seen", share=t.share(v.coverage), mail=t.share(v.mail_coverage))
        if not v.judged:
            return f"{days}: {t('documents_untold')}; {seen}"
        said = t(
            "documents_rate",
            routed=v.routed,
            due=v.due,
            share=t.share(v.routed / v.due if v.due else None),
            target=f"{v.target}%",
        )
        return f"{days}: {said}; {seen}"

    def rows(self, v: DocumentsView) -> tuple[tuple[str, int, str], ...]:
        """Each block: its name, its number, what it is made of."""
        return tuple((self._t(f"documents_{b.key}"), b.n, self._parts(b)) for b in v.blocks)

    def _parts(self, block: Block) -> str:
        return ", ".join(self._count(part) for part in block.parts)

    def _count(self, count: Count) -> str:
        return f"{self._t(f'pair_{count.key}')} {self._t.number(count.n)}"

    def sums(self, v: DocumentsView) -> str:
        """The sum of the blocks, and that it is right."""
        numbers = [self._t.number(b.n) for b in v.blocks]
        key = "documents_sums" if v.adds_up else "documents_sums_wrong"
        return self._t(
            key,
            sum=" + ".join(numbers),
            pairs=v.pairs,
            due_sum=" + ".join(numbers[:2]),
            due=v.due,
        )

    def notes(self, v: DocumentsView) -> tuple[str, ...]:
        """What exemptions rest on, what was counted beside the pairs, which groups are unknown."""
        found = []
        if v.basis:
            found.append(self._t("documents_basis", list=", ".join(map(self._count, v.basis))))
        if v.beside:
            found.append(self._t("documents_beside", list=", ".join(map(self._count, v.beside))))
        if v.groups:
            found.append(self._t("documents_groups", list="; ".join(v.groups)))
        return tuple(found)
