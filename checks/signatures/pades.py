"""Full validation of a signed PDF by pyHanko, where the optional extra `pdf` is installed.

It reads the document's structure, which the light check does not: what was changed after each
signature, revocation lists that came along, time stamps. Nothing is fetched from the network.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from typing import Any

from checks.signatures.ber import Unreadable
from checks.signatures.certificates import reason
from checks.signatures.model import Value

MOST_BYTES = 32 * 1024 * 1024
"""A larger file is left to the light check: reading a document takes many times its size."""


class Full(Value, frozen=True):
    """What the full validation says of one signature."""

    intact: bool
    """Digest and signature hold."""
    trusted: bool
    """The certificate leads to one of the roots, was in date, and is for signing."""
    revoked: bool
    """A revocation list that came along names it."""
    harmless: bool
    """What follows it in the file only adds signatures, time stamps and what proves them."""
    stamped: dt.datetime | None = None
    """The time by a time stamp that is trusted too; otherwise the time is the signer's word."""
    problem: str = ""
    """Why it is not trusted, in pyHanko's words."""


@cache
def available() -> bool:
    """Whether pyHanko is installed."""
    return find_spec("pyhanko") is not None


def validate(
    data: bytes, roots: tuple[bytes, ...], claimed: dict[int, dt.datetime | None], now: dt.datetime
) -> dict[int, Full]:
    """Each signature by where its bytes end. `claimed` are the signing times by the same keys.

    Certificates are judged at those times, at `now` (aware) without one.

    Raises:
        Unreadable: the document cannot be read, or is too large.
    """
    if len(data) > MOST_BYTES:
        raise Unreadable(f"is larger than {MOST_BYTES // 1_048_576} MiB: only the light check ran")
    for name in ("pyhanko", "pyhanko_certvalidator"):
        # What it finds is in its answer; its log would end on the user's terminal.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        return asyncio.run(_validated(data, roots, claimed, now))
    except Exception as e:  # noqa: BLE001 - a parser of others on the bytes of strangers
        raise Unreadable(f"cannot be read whole: {type(e).__name__}: {reason(e)}") from None


async def _validated(
    data: bytes, roots: tuple[bytes, ...], claimed: dict[int, dt.datetime | None], now: dt.datetime
) -> dict[int, Full]:
    from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415 - most of a second

    # A hybrid file shows old readers another document than new ones: it is refused.
    reader = PdfFileReader(BytesIO(data), strict=True)
    found = {}
    for embedded in reader.embedded_regular_signatures:
        _, _, second, rest = embedded.byte_range
        end = int(second) + int(rest)
        found[end] = await _one(embedded, roots, claimed.get(end) or now)
    return found


async def _one(embedded: Any, roots: tuple[bytes, ...], at: dt.datetime) -> Full:  # noqa: ANN401
    from pyhanko.sign.diff_analysis import ModificationLevel  # noqa: PLC0415
    from pyhanko.sign.validation import async_validate_pdf_signature  # noqa: PLC0415
    from pyhanko.sign.validation.settings import KeyUsageConstraints  # noqa: PLC0415

    status = await async_validate_pdf_signature(
        embedded,
        signer_validation_context=_context(roots, at),
        key_usage_settings=KeyUsageConstraints(
            key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False
        ),
    )
    stamp, problem = status.timestamp_validity, status.trust_problem_indic
    level = status.modification_level
    return Full(
        intact=bool(status.intact and status.valid),
        trusted=bool(status.trusted),
        revoked=bool(status.revoked),
        harmless=bool(
            status.docmdp_ok and level is not None and level <= ModificationLevel.FORM_FILLING
        ),
        stamped=stamp.timestamp if stamp is not None and stamp.trusted else None,
        problem=str(getattr(problem, "name", problem or "")),
    )


def _context(roots: tuple[bytes, ...], at: dt.datetime) -> Any:  # noqa: ANN401 - no types of its own
    from asn1crypto import x509  # noqa: PLC0415
    from pyhanko_certvalidator import ValidationContext  # noqa: PLC0415

    return ValidationContext(
        trust_roots=[x509.Certificate.load(root) for root in roots],
        allow_fetching=False,
        revocation_mode="soft-fail",
        moment=at,
    )
