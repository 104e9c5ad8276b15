"""What boto3 raises, as failure kinds with a sentence that shows nothing of the keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checks.evidence import Failure, FailureKind
from checks.texts import clean
from scanner.transports.secrets import NoSecret

_AUTH = frozenset(
    {
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "InvalidToken",
        "TokenRefreshRequired",
        "RequestTimeTooSkewed",
        "AuthorizationHeaderMalformed",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "ExpiredTokenException",
        "MissingAuthenticationTokenException",
    }
)
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "Forbidden",
        "403",
        "UnauthorizedAccess",
    }
)
_BUSY = frozenset(
    {
        "SlowDown",
        "RequestTimeout",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "503",
        "504",
    }
)


class Problem(Exception):  # noqa: N818 - becomes a failure
    """Something that a transport of buckets cannot do or read; `failure` is what it becomes."""

    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.failure = Failure(kind=kind, detail=clean(detail))


def classify(error: Exception, right: str) -> tuple[FailureKind, str]:
    """The failure kind of what boto3 raised, and a sentence that shows nothing of the keys."""
    from botocore import exceptions as b  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    if isinstance(error, NoSecret):
        return FailureKind.AUTH, str(error)
    if isinstance(error, b.ClientError):
        return _client_error(error.response, right)
    kinds: tuple[tuple[tuple[type[Exception], ...], FailureKind, str], ...] = (
        ((b.SSLError,), FailureKind.HOST_KEY, "the store's certificate is not trusted"),
        ((b.ConnectTimeoutError, b.ReadTimeoutError), FailureKind.TIMEOUT, "no answer in time"),
        ((b.NoCredentialsError, b.PartialCredentialsError), FailureKind.AUTH, "no access key"),
        ((b.ProfileNotFound,), FailureKind.AUTH, "the profile is not known on this machine"),
        (
            (b.CredentialRetrievalError, b.TokenRetrievalError, b.SSOError),
            FailureKind.AUTH,
            "the access key could not be fetched",
        ),
        (
            (b.ConnectionError, b.HTTPClientError),
            FailureKind.UNREACHABLE,
            "the store cannot be reached",
        ),
        ((ResponseParserError,), FailureKind.UNPARSABLE, "the answer is not that of S3"),
        ((KeyError,), FailureKind.UNPARSABLE, "an entry of the answer lacks a field"),
        ((ValueError,), FailureKind.COMMAND_FAILED, "the endpoint or bucket name is not valid"),
    )
    for types, kind, said in kinds:
        if isinstance(error, types):
            return kind, f"{said} ({type(error).__name__})"
    return FailureKind.COMMAND_FAILED, f"unexpected {type(error).__name__}"


_CODES: tuple[tuple[frozenset[str], FailureKind, str], ...] = (
    (_AUTH, FailureKind.AUTH, "the access key is refused"),
    (_DENIED, FailureKind.DENIED, "the right {right} is missing"),
    (_BUSY, FailureKind.TIMEOUT, "the store is too busy"),
    (
        frozenset({"NoSuchBucket", "404"}),
        FailureKind.COMMAND_FAILED,
        "there is no such bucket",
    ),
    (
        frozenset({"PermanentRedirect", "301", "307"}),
        FailureKind.COMMAND_FAILED,
        "the bucket lies in another region",
    ),
    (
        frozenset({"NotImplemented", "MethodNotAllowed", "501", "405"}),
        FailureKind.MISSING_TOOL,
        "the store does not offer this listing",
    ),
)


def _client_error(response: Mapping[str, Any], right: str) -> tuple[FailureKind, str]:
    """Only the code is told: messages may repeat parts of the signed request."""
    status = str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    code = clean(str(response.get("Error", {}).get("Code", "")) or status, 60)
    for codes, kind, said in _CODES:
        if code in codes:
            return kind, f"{said.format(right=right)} ({code})"
    return FailureKind.COMMAND_FAILED, f"the store answers {code or 'an error'}"
