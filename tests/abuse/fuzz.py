"""Coverage-guided fuzzing of what phones send: `python -m tests.abuse.fuzz wire|upload [libFuzzer options]`.

`wire` reads a batch as workers do, `upload` a multipart body with archives. Only our own errors may come of any
bytes, within MEMORY_BYTES and the time that the caller gives to libFuzzer.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["messages"]):
    from messages import Layout, Limits, decode, read_archive, unpack, walk
    from messages.uploads import parse_upload

from playhead.errors import Malformed

#: of the whole process; libFuzzer's own bound counts what its parent held before
MEMORY_BYTES = 512_000_000
VECTORS = Path(__file__).parents[1] / "vectors"
LIMITS = Limits(max_unpacked_bytes=2_000_000, max_messages=20_000, max_frames=200)
BOUNDARY = b'--B\r\nContent-Disposition: form-data; name="f"; filename="1-2.tar.gz"\r\n\r\n'


def wire(data: bytes) -> None:
    """Unpack, walk and decode one batch."""
    try:
        plain = unpack(data, LIMITS.max_unpacked_bytes).data
        frames = walk(plain, LIMITS).frames
    except Malformed:
        return
    for frame in frames:
        for layout in Layout:
            try:
                decode(frame.type, frame.body, layout)
            except Malformed:
                continue


def upload(data: bytes) -> None:
    """Parse one multipart body, and the same bytes as an archive inside one."""
    for body in (data, BOUNDARY + data + b"\r\n--B--\r\n"):
        try:
            files = parse_upload("multipart/form-data; boundary=B", body).files
        except Malformed:
            continue
        for file in files:
            try:
                read_archive(file.data, LIMITS)
            except Malformed:
                continue


TARGETS: dict[str, tuple[Callable[[bytes], None], str]] = {
    "wire": (wire, "mobile"),
    "upload": (upload, "images"),
}


def main() -> None:
    """Fuzz one target, with the vectors as seeds."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    name, options = sys.argv[1], sys.argv[2:]
    target, seeds = TARGETS[name]
    with tempfile.TemporaryDirectory() as corpus:
        for path in (VECTORS / seeds).glob("*"):
            if path.suffix != ".json" and path.is_file():
                Path(corpus, path.name).write_bytes(path.read_bytes())
        atheris.Setup([sys.argv[0], *options, corpus], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
