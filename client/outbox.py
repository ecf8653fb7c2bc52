"""Messages that wait in the SDK's memory, and the batches made of them.

After a failure the messages go back to the head of the row, so what is resent is grouped and numbered anew.
Source: spec/openreplay-mobile.md 1.5, 3.3 (`MessageCollector` of both SDKs).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from client.report import SentMessage
from messages import encode_batch, frame_bytes

MAX_BATCH_BYTES = 500_000
FLUSH_ABOVE_BYTES = 400_000
IOS_MAX_MESSAGES = 10_000
IOS_MAX_BYTES = 3_000_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """One framed message."""

    sent: SentMessage
    framed: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """A body for `/i`, uncompressed, and what is in it."""

    body: bytes
    messages: list[Waiting]


class Outbox:
    """One process's row. `bounded`: iOS drops newest beyond 10,000 messages and oldest beyond 3 MB."""

    def __init__(self, *, bounded: bool) -> None:
        self._waiting: deque[Waiting] = deque()
        self._bounded = bounded
        self._first_index = 0
        self.waiting_bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def overfull(self) -> bool:
        """Whether the SDK flushes before its timer."""
        return self.waiting_bytes > FLUSH_ABOVE_BYTES

    def add(self, sent: SentMessage) -> None:
        """A new message at the end; one of more than 500,000 bytes is dropped, as both SDKs do."""
        framed = frame_bytes(sent.type, sent.timestamp, sent.body)
        if len(framed) > MAX_BATCH_BYTES or (self._bounded and len(self._waiting) >= IOS_MAX_MESSAGES):
            return
        self._waiting.append(Waiting(sent, framed))
        self.waiting_bytes += len(framed)
        while self._bounded and self.waiting_bytes > IOS_MAX_BYTES:
            self.waiting_bytes -= len(self._waiting.popleft().framed)

    def next_batch(self, now_ms: int) -> Batch | None:
        """The head of the row as a batch; the index grows now, whatever becomes of the batch."""
        taken: list[Waiting] = []
        size = 0
        while self._waiting and size + len(self._waiting[0].framed) <= MAX_BATCH_BYTES:
            taken.append(self._waiting.popleft())
            size += len(taken[-1].framed)
        if not taken:
            return None
        self.waiting_bytes -= size
        body = encode_batch(self._first_index, now_ms, [waiting.framed for waiting in taken])
        self._first_index += len(taken)
        return Batch(body, taken)

    def requeue(self, batch: Batch) -> None:
        """Back to the head, in order."""
        self._waiting.extendleft(reversed(batch.messages))
        self.waiting_bytes += sum(len(waiting.framed) for waiting in batch.messages)
