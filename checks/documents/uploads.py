"""What a web proxy shows of other ways for files: an indicator beside the checks, never a finding.

Nobody can read a document out of a proxy's log, so this neither passes nor fails and counts in no
rate; it tells whoever leads the unit how wide the other road is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from checks.documents.judged import PeriodOptions, period_of
from checks.documents.mail_logs import mail_name
from checks.documents.sources.mail_probe import PROXY_LOG
from checks.documents.sources.squid import Uploads, read_squid
from checks.evidence import Answers, Need, Probe, Request, Source
from checks.files import bucket_request, files_request, unpack
from checks.model import (
    Arg,
    Context,
    Fact,
    Message,
    Scope,
    Severity,
    Status,
    Subject,
    Verdict,
    check,
    not_applicable,
)
from inventory.model import Documents, MailSource

PROXY_FILE = Probe(
    id="documents.proxy-file",
    title="a web proxy's log in the project folder",
    source=Source.FILES,
    limit=2 * 1024 * 1024 * 1024,
    stream=True,
    sensitive=True,
)


def _declared(subject: Subject) -> tuple[MailSource, ...]:
    return (subject.unit.documents or Documents()).proxy


def _request(source: MailSource) -> Request:
    if source.server:
        return PROXY_LOG.request(source.server, Need.REQUIRED, path=source.path, kind=source.kind)
    if source.bucket:
        return bucket_request(PROXY_FILE, source.bucket, source.path)
    return files_request(PROXY_FILE, source.path)


def _parse(ctx: Context, answers: Answers) -> tuple[Uploads, ...]:
    found = []
    for source in _declared(ctx.subject):
        asked = _request(source)
        found += [
            read_squid(unpack(answer.stdout), mail_name(source), ctx.zone)
            for answer in answers.all(asked.probe)
            if (answer.target, answer.key) == (asked.target, asked.key)
        ]
    return tuple(found)


UPLOADS: Fact[tuple[Uploads, ...]] = Fact(
    id="documents.uploads",
    requests=lambda subject: [_request(source) for source in _declared(subject)],
    parse=_parse,
)
"""What each declared proxy shows; empty when none is declared."""


@check("documents.web-uploads", Scope.UNIT, Severity.INFO, options=PeriodOptions).needs(UPLOADS)
def web_uploads(ctx: Context, proxies: tuple[Uploads, ...]) -> Iterator[Verdict]:
    """One row: connections to file services within the period, as a number and nothing more."""
    if not proxies:
        yield not_applicable("documents.web-uploads.no-proxy")
        return
    period = period_of(ctx, ctx.opt(PeriodOptions))
    seen = [v for p in proxies for v in p.volumes if v.day in period]
    services: Counter[str] = Counter()
    for volume in seen:
        services[volume.service] += volume.connections
    args: dict[str, Arg] = {
        "connections": services.total(),
        "days": len({volume.day for volume in seen}),
    }
    sized = all(p.sized for p in proxies)
    if sized:
        args["large"] = sum(volume.large for volume in seen)
        args["bytes"] = sum(volume.large_bytes for volume in seen)
    detail: dict[str, Any] = {
        "period": [period.start.isoformat(), period.end.isoformat()],
        "services": dict(services.most_common()),
        "sizes_logged": sized,
        **args,
    }
    said = "documents.web-uploads.sized" if sized else "documents.web-uploads.unsized"
    yield Verdict(status=Status.NOT_APPLICABLE, message=Message(id=said, args=args), detail=detail)


CHECKS = (web_uploads,)
