"""The wire format of the mobile SDKs: batches of messages and archives of screenshots, both ways.

Not here: what the messages mean for a session (`sessions/`) and how they arrive (`ingest/`). Start at
`schema.py`, the table that drives the rest; `batch.py` cuts what an SDK posts into frames, `codec.py` reads
and writes their bodies.
"""

from messages.archives import Archive, Picture, Skip, read_archive, sniff_picture
from messages.batch import Batch, Damaged, Frame, Walk, encode_batch, identity, read_batch, walk
from messages.codec import decode, encode, fields, frame_bytes, name_of
from messages.limits import Limits
from messages.schema import CLIENT_TYPES, REFUSED_TYPES, TABLE, Layout, Message
from messages.unpack import BrokenGzip, Unpacked, sniff_unpack, unpack

__all__ = [
    "CLIENT_TYPES",
    "REFUSED_TYPES",
    "TABLE",
    "Archive",
    "Batch",
    "BrokenGzip",
    "Damaged",
    "Frame",
    "Layout",
    "Limits",
    "Message",
    "Picture",
    "Skip",
    "Unpacked",
    "Walk",
    "decode",
    "encode",
    "encode_batch",
    "fields",
    "frame_bytes",
    "identity",
    "name_of",
    "read_archive",
    "read_batch",
    "sniff_picture",
    "sniff_unpack",
    "unpack",
    "walk",
]
