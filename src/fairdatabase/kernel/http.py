"""The one success shape and the one error shape of every HTTP answer.

Success: ``{"status": "success", "data": ..., "meta": ..., "timestamp": ...}``.

Error: an RFC 9457 problem document that also carries the platform's members
``{"status": "error", "error": ..., "details": ..., "timestamp": ...}``. RFC 9457 has a numeric
``status``; the two meet by negotiation: whoever accepts ``application/problem+json`` is given
the number, everybody else the word (which RFC 9457, section 3.1, tells consumers to ignore).
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar
from urllib.parse import quote

from flask import Flask, Request, Response, request
from flask.json.provider import DefaultJSONProvider
from pydantic import BaseModel, Field
from pydantic_core import to_json
from werkzeug.exceptions import BadRequest, RequestedRangeNotSatisfiable
from werkzeug.formparser import FormDataParser

from fairdatabase.kernel import errors
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.current import services

T = TypeVar("T")
View = TypeVar("View", bound=Callable[..., Any])
_APART = "computed_apart"
JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
DATA_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
)
"""Content policy of answers that are no pages: they load nothing and, should a browser show one,
are a document of nobody."""
_ACTIVE = re.compile(r"^multipart/|[/+](?:x-)?(?:html|xml|xsl|javascript|ecmascript)\b")
"""Media types that a browser would make a document or a program of."""
_UNKNOWN_BYTES = "application/octet-stream"
_BYTE_RANGE = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})", re.ASCII | re.IGNORECASE)


class WholeTextJson(DefaultJSONProvider):
    """Reads JSON whose texts are text; half of a character can be neither stored nor sent back."""

    def loads(self, s: str | bytes, **options: Any) -> Any:  # noqa: ANN401 - as in Flask
        """Return the value of a JSON document.

        Raises:
            ValueError: It is none, or a text in it holds half of a surrogate pair (RFC 7493).
        """
        value = super().loads(s, **options)
        if "\\u" in s if isinstance(s, str) else b"\\u" in s:
            _require_whole_texts(value)
        return value


def _require_whole_texts(value: object) -> None:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            each.encode()  # a UnicodeEncodeError is a ValueError
        elif isinstance(each, dict):
            waiting += (*each.keys(), *each.values())
        elif isinstance(each, list):
            waiting += each


class LimitedRequest(Request):
    """A request of which only so much is read into memory as a form may have.

    Files are streamed to the store and may be larger, whatever media type they have.
    """

    def get_json(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as in Flask
        """Return the JSON body.

        Raises:
            werkzeug.exceptions.RequestEntityTooLarge: It is larger than the limit of forms.
            werkzeug.exceptions.BadRequest: It is nested more deeply than any input is.
        """
        self.max_content_length = self.max_form_memory_size
        try:
            return super().get_json(*args, **options)
        except RecursionError:
            raise BadRequest("The JSON of the body is nested too deeply.") from None

    def make_form_data_parser(self) -> FormDataParser:
        """Return the parser of a form; Werkzeug limits only the memory of multipart ones."""
        if self.mimetype == "application/x-www-form-urlencoded":
            self.max_content_length = self.max_form_memory_size
        return super().make_form_data_parser()


class Success(BaseModel, Generic[T]):
    """Body of every JSON answer that went well."""

    status: Literal["success"] = "success"
    data: T
    meta: dict[str, Any] | None = None
    timestamp: datetime


class Problem(BaseModel):
    """Body of every JSON answer that did not go well (RFC 9457)."""

    type: str = Field(examples=["https://fairdatabase.example/problems/not-found"])
    title: str = Field(examples=["Not found"])
    status: Literal["error"] | int
    detail: str = Field(examples=["There is no dataset fd1x5k9z2m4."])
    instance: str = Field(examples=["/api/v1/datasets/fd1x5k9z2m4"])
    error: str = Field(description="The same sentence as detail.")
    code: str = Field(examples=["not-found"])
    details: Any = None
    timestamp: datetime
    request_id: str | None = None


class ProblemKind(NamedTuple):
    """A kind of problem: its stable code, and what it is in words."""

    code: str
    title: str
    meaning: str


_OF_PROTOCOL: Final = {
    400: ProblemKind(
        "bad-request",
        "The request cannot be read",
        "The body is not what it is declared to be, for example no valid JSON.",
    ),
    405: ProblemKind(
        "method-not-allowed",
        "The address does not take this method",
        "The header Allow lists the methods that it takes.",
    ),
    406: ProblemKind(
        "not-acceptable",
        "There is no answer of this media type",
        "None of the media types in the header Accept is to be had.",
    ),
    412: ProblemKind(
        "precondition-failed",
        "It is not in the expected state",
        "A condition in the headers, such as If-Match, does not hold.",
    ),
    415: ProblemKind(
        "unsupported-media-type",
        "The media type is not taken here",
        "The body has to be declared as what it is, mostly by Content-Type: application/json.",
    ),
    416: ProblemKind(
        "range-not-satisfiable",
        "No byte lies in this range",
        "The range begins after the end of the file; Content-Range says how long it is.",
    ),
    500: ProblemKind(
        errors.FAIRDatabaseError.code,
        errors.FAIRDatabaseError.title,
        "Something unexpected happened on the server. It is in the log, by the request's number.",
    ),
}
_OF_PLATFORM: Final[dict[int, type[errors.FAIRDatabaseError]]] = {
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    410: errors.GoneError,
    413: errors.LimitExceededError,
    422: errors.ValidationError,
    429: errors.RateLimitError,
    503: errors.UnavailableError,
}


def kind_of_status(status: int) -> ProblemKind:
    """Return the kind of an error of which only the HTTP status is known.

    The phrases of the standard library are no codes: they change between versions of Python.
    """
    if status in _OF_PLATFORM:
        return _kind(_OF_PLATFORM[status])
    other = ProblemKind(f"http-{status}", f"HTTP error {status}", "The request was refused.")
    return _OF_PROTOCOL.get(status, other)


def kind_of_code(code: str) -> ProblemKind | None:
    """Return the kind of problem that has a code."""
    known = {kind.code: kind for kind in _OF_PROTOCOL.values()}
    error = errors.kinds().get(code)
    return known.get(code) or (_kind(error) if error else None)


def _kind(error: type[errors.FAIRDatabaseError]) -> ProblemKind:
    meaning = (inspect.getdoc(error) or "").partition("\n\n")[0]
    return ProblemKind(error.code, error.title, meaning.replace("`", "").replace("\n", " "))


def problems(*statuses: int) -> dict[str | int | HTTPStatus, Any]:
    """Return the documentation of error answers, for the ``responses`` of an operation."""
    return dict.fromkeys(statuses, Problem)


def success(
    data: object,
    *,
    meta: BaseModel | Mapping[str, Any] | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with the success shape.

    Args:
        data: Pydantic records or JSON-compatible values.
        meta: Facts about the answer, such as where a page stands.
        status: HTTP status code.
        headers: Further headers.
    """
    body = {"status": "success", "data": data, "meta": meta, "timestamp": utc_now()}
    return Response(to_json(body), status=status, mimetype=JSON, headers=dict(headers or {}))


def problem(
    code: str,
    title: str,
    detail: str,
    *,
    status: int,
    details: object = None,
    request_id: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with the error shape; see the module's text for how ``status`` is written."""
    numeric = request.accept_mimetypes.best_match([JSON, PROBLEM_JSON]) == PROBLEM_JSON
    body = {
        "type": f"{services().settings.public_url}/problems/{code}",
        "title": title,
        "status": status if numeric else "error",
        "detail": detail,
        "instance": request.path,
        "error": detail,
        "code": code,
        "details": details,
        "timestamp": utc_now(),
        "request_id": request_id,
    }
    mimetype = PROBLEM_JSON if numeric else JSON
    return Response(to_json(body), status=status, mimetype=mimetype, headers=dict(headers or {}))


def apart(view: View) -> View:
    """Mark a view that takes long by its nature, such as one that hashes passwords.

    A server computes its requests on few threads that nothing else waits for.
    """
    view.__dict__[_APART] = True
    return view


def apart_paths(app: Flask) -> frozenset[str]:
    """Return the addresses of the views that are marked as :func:`apart`."""
    return frozenset(
        rule.rule
        for rule in app.url_map.iter_rules()
        if _APART in app.view_functions[rule.endpoint].__dict__ and not rule.arguments
    )


def conditional(etag: str, answer: Callable[[], Response]) -> Response:
    """Answer, or say that the client has the answer already (RFC 9110, section 13.1.2).

    Args:
        etag: Of the answer; weak, as answers differ in their timestamp.
        answer: Makes the answer where the client does not have it.
    """
    known = request.if_none_match.contains_weak(etag)
    response = Response(status=HTTPStatus.NOT_MODIFIED) if known else answer()
    response.set_etag(etag, weak=True)
    return response


def attachment(
    chunks: Iterable[bytes], name: str, media_type: str, *, made_here: bool = False
) -> Response:
    """Answer with a file to be saved, never shown: what people send is not ours to render.

    Args:
        chunks: The bytes, streamed; closed when the client has gone.
        name: Suggested file name, in any script.
        media_type: Of the bytes; what a browser would run is sent as unknown bytes.
        made_here: Whether the platform made them, such as a report, and they are what they are.
    """
    shown = not made_here and _ACTIVE.search(media_type.lower())
    response = Response(
        chunks, mimetype=_UNKNOWN_BYTES if shown else media_type, direct_passthrough=True
    )
    response.headers["Content-Disposition"] = disposition(name)
    response.headers["Content-Security-Policy"] = DATA_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def download(
    read: Callable[[int, int], Iterable[bytes]],
    name: str,
    media_type: str,
    *,
    size: int,
    sha256: str,
) -> Response:
    """Answer with a stored file: whole, a range of it, or that the client has it already.

    Ranges and conditions follow RFC 9110, sections 13 and 14; the checksum is the entity tag.
    Several ranges at once are answered with the whole file, which the standard allows.

    Args:
        read: Streams the bytes from a start to an end (exclusive); closed when the client has gone.
        name: Suggested file name.
        media_type: Of the file.
        size: Bytes of the whole file.
        sha256: Of the whole file.

    Raises:
        werkzeug.exceptions.RequestedRangeNotSatisfiable: The range begins after the file's end.
    """
    wanted = request.headers.get("Range", "") if request.method == "GET" else ""
    if request.headers.get("If-Range", f'"{sha256}"') != f'"{sha256}"':
        wanted = ""
    span = byte_range(wanted, size)
    start, end = span or (0, size)
    response = attachment(read(start, end), name, media_type)
    response.content_length = end - start
    response.accept_ranges = "bytes"
    response.set_etag(sha256)
    response.make_conditional(request)
    if span and response.status_code == HTTPStatus.OK:
        response.status_code = HTTPStatus.PARTIAL_CONTENT
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return response


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """Return start and end (exclusive) of the one range that a ``Range`` header asks for.

    Args:
        header: Value of the header.
        size: Bytes of the whole.

    Returns:
        None where the header is to be ignored: absent, not of bytes, malformed, several ranges.

    Raises:
        werkzeug.exceptions.RequestedRangeNotSatisfiable: No byte lies in the range.
    """
    match = _BYTE_RANGE.fullmatch(header.strip())
    first, last = match.groups() if match else ("", "")
    if not (first or last) or (first and last and int(last) < int(first)):
        return None
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
    else:
        start, end = max(size - int(last), 0), size
    if start >= end:
        raise RequestedRangeNotSatisfiable(size)
    return start, end


def disposition(name: str) -> str:
    """Return the ``Content-Disposition`` of a download (RFC 6266, names by RFC 8187)."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
