"""Archives of screenshots as each SDK packs them. Source: spec/openreplay-mobile.md 1.4, 4.1, 4.2."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import uuid
from dataclasses import dataclass, field
from random import Random

from client.devices import Platform
from client.report import SentPicture

GZIP_LEVEL = 1  # pictures do not get smaller


@dataclass(frozen=True, slots=True)
class Shot:
    """One screenshot as taken."""

    sent: SentPicture
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Upload:
    """An archive, named after the session it was made in, and how it is labelled."""

    session_id: int
    filename: str
    part_type: str
    labelled_frames: bool
    data: bytes = field(repr=False)
    shots: tuple[SentPicture, ...] = ()

    def form(self, project_key: str, dice: Random) -> tuple[str, bytes]:
        """(Content-Type, body) of the multipart request."""
        boundary = f"Boundary-{uuid.UUID(int=dice.getrandbits(128), version=4)}"
        values = {"projectKey": project_key} | ({"type": "frames"} if self.labelled_frames else {})
        disposition = "Content-Disposition: form-data; name="
        head = "".join(
            f'--{boundary}\r\n{disposition}"{name}"\r\n\r\n{value}\r\n' for name, value in values.items()
        )
        head += f'--{boundary}\r\n{disposition}"batch"; filename="{self.filename}"\r\n'
        head += f"Content-Type: {self.part_type}\r\n\r\n"
        body = head.encode() + self.data + f"\r\n--{boundary}--\r\n".encode()
        return f"multipart/form-data; boundary={boundary}", body


def ios_upload(
    session_id: int, first_ms: int, last_ms: int, shots: list[Shot], *, frames: bool, labelled: bool
) -> Upload:
    """`last_ms`: last time of the previous archive, 0 first. `frames`: that format instead of tar."""
    plain = frames_chain(shots) if frames else tar(shots, first_ms, pax=True)
    suffix = "gz" if frames else "tar.gz"
    return Upload(
        session_id,
        f"{session_id}-{last_ms}.{suffix}",
        "gzip",
        labelled,
        gzip.compress(plain, GZIP_LEVEL, mtime=0),
        tuple(shot.sent for shot in shots),
    )


def android_upload(session_id: int, first_ms: int, shots: list[Shot]) -> Upload:
    """A tar whose pictures are all called `.jpeg`, named after the last of them."""
    return Upload(
        session_id,
        f"{session_id}-{shots[-1].sent.at_ms}.tar.gz",
        "application/gzip",
        False,
        gzip.compress(tar(shots, first_ms, pax=False), GZIP_LEVEL, mtime=0),
        tuple(shot.sent for shot in shots),
    )


def frames_chain(shots: list[Shot]) -> bytes:
    """`u64 LE ms | u32 LE size | bytes` for each."""
    return b"".join(struct.pack("<QI", shot.sent.at_ms, len(shot.data)) + shot.data for shot in shots)


def tar(shots: list[Shot], first_ms: int, *, pax: bool) -> bytes:
    """Entries `<first>_1_<time>.jpeg`; with `pax` a header with ctime before each, as iOS writes."""
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT if pax else tarfile.USTAR_FORMAT
    ) as archive:
        for shot in shots:
            entry = tarfile.TarInfo(f"{first_ms}_1_{shot.sent.at_ms}.jpeg")
            entry.size = len(shot.data)
            entry.mtime = shot.sent.at_ms // 1000
            if pax:
                entry.pax_headers = {"ctime": f"{shot.sent.at_ms / 1000:.3f}"}
            else:
                entry.uid = entry.gid = 10_234
                entry.uname = entry.gname = "u0_a234"
            archive.addfile(entry, io.BytesIO(shot.data))
    return buffer.getvalue()


def picture_format(platform: Platform) -> str:
    """What the SDK's pictures are: JPEG on iOS, lossless WEBP on Android 11 and later."""
    return "jpeg" if platform is Platform.IOS else "webp"
