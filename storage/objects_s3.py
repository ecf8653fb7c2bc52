"""Objects in an S3 bucket, through boto3 in threads of its own.

Credentials come from boto3's own chain: AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, profile, instance role.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Literal, TypeVar

import boto3
import urllib3.exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from botocore.parsers import ResponseParserError

from playhead.errors import ObjectMissing, StorageUnavailable
from storage.objects import MULTIPART_BYTES, ObjectInfo, check_key, check_prefix, probe

THREADS = 16  # for writing; as many again for reading, so that neither waits for the other
CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 15  # between two pieces of an answer
ATTEMPTS = 2
CALL_TIMEOUT_S = 60.0  # one call as a whole, plus 1 s for each MB moved
PIECE_BYTES = 1_000_000
DELETE_STEP = 1000  # the protocol's own bound

T = TypeVar("T")


class S3Objects:
    """ObjectStore on a bucket; keys get `prefix` in front."""

    def __init__(self, bucket: str, prefix: str, endpoint_url: str, region: str) -> None:
        self.bucket = bucket
        self._prefix = prefix + "/" if prefix else ""
        self._endpoint_url = endpoint_url
        self._region = region
        self._where = f"{endpoint_url or 'AWS'} bucket {bucket}"
        self._writers = ThreadPoolExecutor(THREADS, thread_name_prefix="s3-write")
        self._readers = ThreadPoolExecutor(THREADS, thread_name_prefix="s3-read")
        self._client: Any = None
        self._connecting = threading.Lock()

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str = "application/octet-stream",
        if_absent: bool = False,
    ) -> bool:
        """See ObjectStore."""
        full = self._prefix + check_key(key)
        store = self._put_parts if len(body) > MULTIPART_BYTES else self._put_whole
        return await self._run(
            self._writers,
            len(body),
            "writes",
            lambda client: store(client, full, body, content_type, if_absent),
        )

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        """See ObjectStore."""
        full = self._prefix + check_key(key)
        expected = 0 if length is None else length
        return await self._run(
            self._readers, expected, "reads", lambda client: self._get(client, full, start, length)
        )

    async def delete(self, keys: Iterable[str]) -> None:
        """See ObjectStore."""
        wanted = iter({self._prefix + check_key(key): None for key in keys})
        while some := list(itertools.islice(wanted, DELETE_STEP)):
            await self._run(self._writers, 0, "deletes", partial(self._delete, full_keys=some))

    async def list(self, prefix: str, *, after: str = "") -> AsyncIterator[ObjectInfo]:
        """See ObjectStore."""
        check_prefix(prefix)
        request: dict[str, Any] = {"Bucket": self.bucket, "Prefix": self._prefix + prefix}
        if after:
            request["StartAfter"] = self._prefix + after
        while True:
            page = await self._run(
                self._readers, 0, "listing", lambda client: client.list_objects_v2(**request)
            )
            for entry in page.get("Contents", ()):
                modified_ms = int(entry["LastModified"].timestamp() * 1000)
                yield ObjectInfo(entry["Key"].removeprefix(self._prefix), entry["Size"], modified_ms)
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    async def check(self) -> None:
        """See ObjectStore."""
        await probe(self)

    def close(self) -> None:
        """Calls in flight are left to their timeouts."""
        for threads in (self._writers, self._readers):
            threads.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    async def _run(self, threads: ThreadPoolExecutor, size: int, what: str, work: Callable[[Any], T]) -> T:
        """Run one call in a thread, and stop waiting when it takes too long (a server that trickles)."""

        def call() -> T:
            with self._failing(what):
                return work(self._connect())

        timeout_s = CALL_TIMEOUT_S + size / 1_000_000
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.get_running_loop().run_in_executor(threads, call)
        except TimeoutError as problem:
            raise StorageUnavailable(
                f"storage: {what} took over {timeout_s:.0f} s ({self._where})"
            ) from problem

    def _connect(self) -> Any:
        with self._connecting:
            if self._client is None:
                self._client = self._new_client()
        return self._client

    def _new_client(self) -> Any:
        custom = bool(self._endpoint_url)
        # Many servers that are not AWS know nothing of the newer checksum headers.
        checksums: Literal["when_required", "when_supported"] = (
            "when_required" if custom else "when_supported"
        )
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self._endpoint_url or None,
            region_name=self._region or ("us-east-1" if custom else None),
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                max_pool_connections=2 * THREADS,
                tcp_keepalive=True,
                s3={"addressing_style": "path" if custom else "auto"},
                request_checksum_calculation=checksums,
                response_checksum_validation=checksums,
            ),
        )

    def _put_whole(self, client: Any, full: str, body: bytes, content_type: str, if_absent: bool) -> bool:
        request = {"Bucket": self.bucket, "Key": full, "Body": body, "ContentType": content_type}
        return self._conditional(
            client, full, if_absent, lambda condition: client.put_object(**request, **condition)
        )

    def _put_parts(self, client: Any, full: str, body: bytes, content_type: str, if_absent: bool) -> bool:
        place = {"Bucket": self.bucket, "Key": full}
        upload = {
            **place,
            "UploadId": client.create_multipart_upload(**place, ContentType=content_type)["UploadId"],
        }
        try:
            parts = []
            for number, begin in enumerate(range(0, len(body), MULTIPART_BYTES), start=1):
                piece = body[begin : begin + MULTIPART_BYTES]
                tag = client.upload_part(**upload, PartNumber=number, Body=piece)["ETag"]
                parts.append({"PartNumber": number, "ETag": tag})
            whole = {"Parts": parts}
            stored = self._conditional(
                client,
                full,
                if_absent,
                lambda condition: client.complete_multipart_upload(
                    **upload, MultipartUpload=whole, **condition
                ),
            )
        except BaseException:
            self._abort(client, upload)
            raise
        if not stored:
            self._abort(client, upload)
        return stored

    def _abort(self, client: Any, upload: dict[str, Any]) -> None:
        """Give the parts up; if that fails they are the bucket's life-cycle rule's business."""
        try:
            client.abort_multipart_upload(**upload)
        except (BotoCoreError, ClientError, ResponseParserError, OSError):
            return

    def _conditional(
        self, client: Any, full: str, if_absent: bool, store: Callable[[dict[str, str]], Any]
    ) -> bool:
        """Store, only if there is no object yet when if_absent is set."""
        if not if_absent:
            store({})
            return True
        for attempt in range(3):
            try:
                store({"IfNoneMatch": "*"})
                return True
            except ClientError as problem:
                status = _status(problem)
                if status == 412:
                    return False
                if status == 501:  # the server does not offer it: look, then store
                    break
                if status != 409 or attempt == 2:  # 409: two at once, one has to come again
                    raise
        if self._exists(client, full):
            return False
        store({})
        return True

    def _exists(self, client: Any, full: str) -> bool:
        try:
            client.head_object(Bucket=self.bucket, Key=full)
        except ClientError as problem:
            if _status(problem) == 404:
                return False
            raise
        return True

    def _get(self, client: Any, full: str, start: int, length: int | None) -> bytes:
        if length == 0:
            if not self._exists(client, full):
                raise ObjectMissing(f"no object {full}")
            return b""
        request = {"Bucket": self.bucket, "Key": full, **_range(start, length)}
        for attempt in itertools.count(1):
            try:
                answer = client.get_object(**request)
            except ClientError as problem:
                if _status(problem) == 416:  # the range begins behind the end
                    return b""
                raise
            try:
                body = _read(answer["Body"])
                break
            except (BotoCoreError, urllib3.exceptions.HTTPError):
                # botocore tries again until an answer begins; for a body that breaks off we ask again.
                if attempt == ATTEMPTS:
                    raise
        return body[:length] if start < 0 else body

    def _delete(self, client: Any, full_keys: Sequence[str]) -> None:
        objects = [{"Key": key} for key in full_keys]
        try:
            answer = client.delete_objects(Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True})
        except ClientError as problem:
            if _status(problem) not in (400, 405, 501):
                raise
            for key in full_keys:  # the server does not offer it, or wants a checksum of older days with it
                client.delete_object(Bucket=self.bucket, Key=key)
            return
        for error in answer.get("Errors", ()):
            if error.get("Code") != "NoSuchKey":
                raise StorageUnavailable(f"storage refuses deletes ({error.get('Code')}) ({self._where})")

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        """Every error of boto3 and below becomes ours, with a reason that tells the operator what to mend."""
        try:
            yield
        except ClientError as problem:
            code, status = str(problem.response.get("Error", {}).get("Code", "")), _status(problem)
            if code in ("NoSuchKey", "404") and what == "reads":
                raise ObjectMissing("no such object") from None
            answer = f"{status} {code}" if code != str(status) else code
            if code == "NoSuchBucket":
                reason = "storage has no such bucket"
            elif status >= 500 or status == 429:
                reason = f"storage fails {what}"
            else:
                reason = f"storage refuses {what}"
            raise StorageUnavailable(f"{reason} ({answer}) ({self._where})") from problem
        except (NoCredentialsError, PartialCredentialsError) as problem:
            raise StorageUnavailable(
                f"storage: no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY ({self._where})"
            ) from problem
        except (BotoCoreError, ResponseParserError, urllib3.exceptions.HTTPError, OSError) as problem:
            raise StorageUnavailable(
                f"storage does not answer ({type(problem).__name__}) ({self._where})"
            ) from problem


def _status(problem: ClientError) -> int:
    return int(problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _range(start: int, length: int | None) -> dict[str, str]:
    if start < 0:
        return {"Range": f"bytes={start}"}  # the last bytes; what is too much of them is cut off later
    if length is not None:
        return {"Range": f"bytes={start}-{start + length - 1}"}
    return {"Range": f"bytes={start}-"} if start else {}


def _read(stream: Any) -> bytes:
    """The whole body, unless it trickles: the socket's timeout alone would let it take for ever."""
    pieces, begun, size = [], time.monotonic(), 0
    with stream:
        while piece := stream.read(PIECE_BYTES):
            pieces.append(piece)
            size += len(piece)
            if time.monotonic() - begun > CALL_TIMEOUT_S + size / 1_000_000:
                raise TimeoutError("the body takes too long")
    return b"".join(pieces)


@asynccontextmanager
async def open_s3(bucket: str, *, prefix: str, endpoint_url: str, region: str) -> AsyncIterator[S3Objects]:
    """Objects in a bucket. Reaches for the server when first used."""
    objects = S3Objects(bucket, prefix, endpoint_url, region)
    try:
        yield objects
    finally:
        objects.close()
