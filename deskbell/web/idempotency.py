"""`Idempotency-Key` on POST: the first answer again, instead of the same change twice.

Follows draft-ietf-httpapi-idempotency-key-header. The key is claimed and the answer kept in the transaction of the
request itself, so both happen or neither: a request that failed may be repeated with its key. A second request that
comes while the first still runs waits for it in the unique index, and then gets its answer.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from anyio import to_thread
from fastapi import Request, Response
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile

from deskbell.kernel.errors import ConflictError, InvalidError
from deskbell.kernel.idempotency import IdempotencyKey
from deskbell.web.csrf import FORMS

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
LIFETIME: Final = timedelta(days=1)
_KEY: Final = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')  # the draft's quoted string, or what most clients send
_KEPT_HEADERS: Final = ("content-type", "etag", "location")
_CHUNK: Final = 256 * 1024


class KeyReusedError(InvalidError):
    """This Idempotency-Key was used for another request. Take a new key for each request."""

    code = "idempotency_key_reused"


class AlreadyAnsweredError(Exception):
    """Not a fault: carries the kept answer out of the dependency that found it."""

    def __init__(self, response: Response) -> None:
        """`response` is the first answer again."""
        super().__init__()
        self.response = response


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request with a key: what it would claim."""

    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that this request was the first to use."""

    row_id: int
    session: AsyncSession

    async def keep(self, response: Response, instead: bytes | None) -> None:
        """Write the answer beside the key; `instead` replaces a body with secrets in it."""
        await self.session.run_sync(keep_answer, self.row_id, response, instead)


def remember_instead(request: Request, body: bytes) -> None:
    """Say what a repeated request gets where the answer holds a secret that is to be shown once and kept nowhere."""
    request.state.remembered_body = body


async def read_attempt(request: Request) -> Attempt | None:
    """Return the request's key with its fingerprint, None where it has no key. Raises InvalidError.

    This waits for the whole body, so it is called before there is a transaction.
    """
    header = request.headers.get(HEADER)
    if request.method != "POST" or header is None:
        return None
    match = _KEY.fullmatch(header)
    if match is None:
        raise InvalidError(f"{HEADER} has 1 to 255 visible ASCII characters, a UUID for example.", field=HEADER)
    return Attempt(match[1], await _fingerprint(request))


async def claim_key(session: AsyncSession, request: Request, user_id: int, attempt: Attempt) -> None:
    """Claim the request's key. Raises AlreadyAnsweredError, KeyReusedError or ConflictError."""
    row_id = await session.run_sync(claim, user_id, attempt)
    request.state.claim = Claim(row_id, session)


def keep_answer(session: Session, row_id: int, response: Response, instead: bytes | None = None) -> None:
    """Write an answer beside its key; see `Claim.keep`."""
    headers = {name: value for name in _KEPT_HEADERS if (value := response.headers.get(name))}
    body = response.body if instead is None else instead
    values = {"status": response.status_code, "headers": headers, "body": bytes(body)}
    session.execute(update(IdempotencyKey).where(IdempotencyKey.id == row_id).values(values))


def claim(session: Session, user_id: int, attempt: Attempt) -> int:
    """Insert the key, or take over one that has expired; what is there already and still holds is the answer.

    Return the row's id. Raises AlreadyAnsweredError, KeyReusedError or ConflictError.
    """
    key, fingerprint = attempt.key, attempt.fingerprint
    row: dict[str, Any] = {"user_id": user_id, "key": key, "fingerprint": fingerprint}
    fresh: dict[str, Any] = {"fingerprint": fingerprint, "status": None, "headers": None, "body": None}
    now = func.clock_timestamp()
    statement = insert(IdempotencyKey).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["user_id", "key"],
        set_={**fresh, "created_at": now},
        where=IdempotencyKey.created_at < now - LIFETIME,
    )
    row_id = session.scalar(statement.returning(IdempotencyKey.id))
    if row_id is None:
        _answer_again(session, user_id, key, fingerprint)
    return int(row_id or 0)


def _answer_again(session: Session, user_id: int, key: str, fingerprint: bytes) -> None:
    kept = session.scalars(select(IdempotencyKey).filter_by(user_id=user_id, key=key)).one()
    if kept.fingerprint != fingerprint:
        raise KeyReusedError(field=HEADER)
    if kept.status is None:
        raise ConflictError("A request with this Idempotency-Key is still running. Try again in a moment.")
    headers = {**(kept.headers or {}), REPLAYED: "true"}
    raise AlreadyAnsweredError(Response(kept.body or b"", status_code=kept.status, headers=headers))


async def _fingerprint(request: Request) -> bytes:
    """SHA-256 of method, address and body. Of a form the fields count, as its boundary differs at each attempt."""
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    if request.headers.get("content-type", "").startswith(FORMS):
        await _add_form(digest, await request.form())
    else:
        digest.update(await request.body())
    return digest.digest()


async def _add_form(digest: Any, form: FormData) -> None:  # noqa: ANN401 - hashlib names no type for its objects
    for name, value in form.multi_items():
        text = value.filename if isinstance(value, UploadFile) else value
        digest.update(repr((name, text)).encode(errors="replace"))
        if isinstance(value, UploadFile):
            digest.update(await to_thread.run_sync(_hash_file, value))


def _hash_file(upload: UploadFile) -> bytes:
    digest = hashlib.sha256()
    upload.file.seek(0)
    while chunk := upload.file.read(_CHUNK):
        digest.update(chunk)
    upload.file.seek(0)
    return digest.digest()
