"""A replay as an H.264 video: pictures at their times, touches as discs. One picture in memory at a time. Blocking."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from playhead.errors import Unprocessable

if TYPE_CHECKING:
    from PIL import Image

LONG_SIDE_PX: Final = 1280
#: how long a touch is seen, and the last picture, ms
TOUCH_MS: Final = 500
LAST_MS: Final = 1000
MAX_PIXELS: Final = 20_000_000
_OPTIONS: Final = {"preset": "veryfast", "crf": "26", "g": "60"}
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "AVIF")
_COLOUR: Final = (255, 90, 40)
_IOS_SCALE: Final = 1.25  # pixels of a picture per point, where the screen's size is not known


class Touch(NamedTuple):
    """A tap or the end of a swipe: ms, in the window's unit (points on iOS, pixels on Android)."""

    at_ms: int
    x: int
    y: int


class Moment(NamedTuple):
    """When the video changes: which picture is seen (its place), and the touches on it."""

    at_ms: int
    picture: int
    touches: tuple[Touch, ...]


def moments_of(times: list[int], touches: Iterable[Touch]) -> Iterator[Moment]:
    """Every change from the first picture on, by time; times of pictures ascend."""
    if not times:
        return
    seen = sorted(touch for touch in touches if touch.at_ms >= times[0])
    changes = {*times, *(t.at_ms for t in seen), *(t.at_ms + TOUCH_MS for t in seen), times[-1] + LAST_MS}
    picture = first = last = 0
    for at_ms in sorted(changes):
        while picture + 1 < len(times) and times[picture + 1] <= at_ms:
            picture += 1
        while first < len(seen) and seen[first].at_ms + TOUCH_MS <= at_ms:
            first += 1
        last = max(last, first)
        while last < len(seen) and seen[last].at_ms <= at_ms:
            last += 1
        yield Moment(at_ms, picture, tuple(seen[first:last]))


class Video:
    """Writes moments into a file; `device` is (width, height) of the screen in the unit of touches."""

    def __init__(self, file: IO[bytes], *, platform: str, device: tuple[int, int]) -> None:
        import av

        self._file = av.open(file, "w", format="mp4")
        self._stream: Any = None
        self._platform, self._device = platform, device
        self._picture: Image.Image | None = None
        self._scale = 1.0  # pixels of the video per unit of touches
        self._left = self._top = 0
        self._start_ms = self._last_ms = -1

    def show(self, content: bytes) -> None:
        """The picture from now on; what cannot be decoded leaves the one before."""
        from PIL import Image

        try:
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    return
                picture = image.convert("RGB")
        except Exception:  # decoders raise whatever they like
            return
        if self._stream is None:
            self._begin(picture.size)
        self._place(picture)

    def write(self, at_ms: int, touches: Iterable[Touch]) -> None:
        """One moment; times ascend."""
        if self._picture is None or at_ms <= self._last_ms:
            return
        import av

        if self._start_ms < 0:
            self._start_ms = at_ms
        self._last_ms = at_ms
        frame = av.VideoFrame.from_image(self._drawn(touches))  # type: ignore[no-untyped-call]
        frame.pts = at_ms - self._start_ms
        frame.time_base = Fraction(1, 1000)
        frame.pict_type = av.video.frame.PictureType.NONE
        self._file.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Writes what is left. Raises Unprocessable if there was nothing to see."""
        if self._stream is None:
            raise Unprocessable("this replay has no picture that can be shown", code="no_pictures")
        self._file.mux(self._stream.encode())
        self._file.close()

    def close(self) -> None:
        """Gives back what it holds, finished or not."""
        self._file.close()

    def _begin(self, size: tuple[int, int]) -> None:
        share = min(1.0, LONG_SIDE_PX / max(size))
        self._stream = self._file.add_stream("libx264", rate=30, options=_OPTIONS)
        self._stream.width, self._stream.height = (max(2, round(side * share / 2) * 2) for side in size)
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, 1000)
        self._stream.time_base = Fraction(1, 1000)

    def _place(self, picture: Image.Image) -> None:
        """Fits a picture of any shape into the video's."""
        from PIL import Image

        width, height = self._stream.width, self._stream.height
        share = min(width / picture.width, height / picture.height)
        size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
        self._left, self._top = (width - size[0]) // 2, (height - size[1]) // 2
        canvas = Image.new("RGB", (width, height))
        canvas.paste(picture.resize(size), (self._left, self._top))
        self._picture = canvas
        self._scale = share * touch_scale(self._platform, self._device, picture.size)

    def _drawn(self, touches: Iterable[Touch]) -> Image.Image:
        from PIL import ImageDraw

        assert self._picture is not None
        touches = list(touches)
        if not touches:
            return self._picture
        canvas = self._picture.copy()
        pen = ImageDraw.Draw(canvas, "RGBA")
        radius = max(6, min(canvas.size) // 22)
        for touch in touches:
            x, y = self._left + touch.x * self._scale, self._top + touch.y * self._scale
            if abs(x) < 1e5 and abs(y) < 1e5:
                box = (x - radius, y - radius, x + radius, y + radius)
                pen.ellipse(
                    box, fill=(*_COLOUR, 110), outline=(255, 255, 255, 230), width=max(2, radius // 6)
                )
        return canvas


def touch_scale(platform: str, device: tuple[int, int], picture: tuple[int, int]) -> float:
    """Pixels of a picture per unit of touches; pictures are scaled evenly, so short sides say how much."""
    short = min(device)
    if short <= 0:
        return _IOS_SCALE if platform == "ios" else 1.0
    same = abs(_ratio(picture) - _ratio(device)) < 0.05
    return _IOS_SCALE if platform == "ios" and not same else min(picture) / short


def _ratio(size: tuple[int, int]) -> float:
    return max(size) / min(size) if min(size) > 0 else 0.0
