"""The words of checks, so that one unknown word never costs a whole report.

A stored scan may speak of a check that this installation does not have (an older release, a
plug-in that is gone). Its row is still shown, with its ids in place of the sentence.
"""

from __future__ import annotations

from typing import Protocol
from zoneinfo import ZoneInfo

from checks import texts
from checks.model import Message
from checks.texts import clean


class Voice(Protocol):
    """What a report asks of the words of checks."""

    def sentence(self, message: Message, language: str, zone: ZoneInfo) -> str:
        """The sentence of a message."""
        ...

    def say(self, check: str, part: str, language: str) -> str:
        """`title`, `rationale`, `remedy` or `product` of a check; empty when there is none."""
        ...

    def mend(self, cause: str, language: str) -> str:
        """What would mend a failure kind; empty when there is no such kind."""
        ...


_NO_WORDS = (KeyError, ValueError, TypeError, OSError, ImportError)


class CheckTexts:
    """The words that lie beside the checks."""

    def sentence(self, message: Message, language: str, zone: ZoneInfo) -> str:
        """The sentence, or the message's id and values when its words are not installed."""
        try:
            return clean(texts.render(message, language, zone))
        except _NO_WORDS:
            values = ", ".join(f"{k}={v}" for k, v in sorted(message.args.items()))
            return clean(f"{message.id} ({values})" if values else message.id)

    def say(self, check: str, part: str, language: str) -> str:
        """One of the check's texts; a check without words has its id for a title."""
        try:
            return clean(texts.say(check, part, language), 2000)
        except _NO_WORDS:
            return clean(check) if part == "title" else ""

    def mend(self, cause: str, language: str) -> str:
        """What would mend a failure of this kind."""
        try:
            return clean(texts.mend(cause, language))
        except _NO_WORDS:
            return ""


CHECK_TEXTS: Voice = CheckTexts()
