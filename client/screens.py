"""Draws scenes with Pillow, cheaply: each picture once, at the sizes and in the formats of the SDKs.

Source of sizes and quality: spec/openreplay-mobile.md 4.1.
"""

from __future__ import annotations

import colorsys
import hashlib
import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont, ImageOps

from client import bank_screens, shop_screens
from client.scenes import STATUS_BAR_PT, TAB_BAR_PT, Scene, Widget

IOS_SCALE = 1.25  # pixels per point
IOS_JPEG_QUALITY = 50
ANDROID_SHORT_SIDE_PX = 480
KEPT_PICTURES = 400

Colour = tuple[int, int, int]
LIGHT = {
    "page": (246, 247, 249),
    "sheet": (255, 255, 255),
    "ink": (22, 26, 33),
    "faint": (128, 136, 148),
    "line": (222, 226, 232),
}
DARK = {
    "page": (14, 16, 20),
    "sheet": (28, 31, 38),
    "ink": (238, 240, 244),
    "faint": (138, 146, 158),
    "line": (48, 53, 62),
}
ACCENT: dict[str, Colour] = {"shop": (224, 83, 38), "bank": (14, 104, 138)}
DANGER: Colour = (196, 43, 43)


@lru_cache(maxsize=2_000)
def layout(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """The widgets of a scene on a screen of that many points. KeyError for a scene that no app has."""
    layouts = shop_screens.LAYOUTS if scene.app == "shop" else bank_screens.LAYOUTS
    if scene.landscape:
        width, height = height, width
    return layouts[scene.screen](scene, width, height)


@lru_cache(maxsize=KEPT_PICTURES)
def draw(scene: Scene, width: int, height: int, form: str) -> bytes:
    """The scene as `jpeg` (iOS) or lossless `webp` (Android)."""
    scale = IOS_SCALE if form == "jpeg" else ANDROID_SHORT_SIDE_PX / width
    image = _Painter(scene, width, height, scale).paint()
    out = io.BytesIO()
    if form == "jpeg":
        image.save(out, "JPEG", quality=IOS_JPEG_QUALITY)
    else:
        image.save(out, "WEBP", lossless=True, quality=20, method=1)
    return out.getvalue()


@lru_cache(maxsize=KEPT_PICTURES * 4)
def sha256_of(data: bytes) -> str:
    """Lower-case hex."""
    return hashlib.sha256(data).hexdigest()


@lru_cache(maxsize=64)
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


@lru_cache(maxsize=200)
def _art(number: int, width: int, height: int) -> Image.Image:
    """A soft gradient with shapes; stands for a photograph."""
    hue = (number * 0.137) % 1
    dark, bright = (_rgb(hue, 0.55, 0.45), _rgb(hue + 0.08, 0.35, 0.95))
    image = ImageOps.colorize(Image.linear_gradient("L").resize((width, height)), bright, dark)
    pen = ImageDraw.Draw(image)
    for step in range(4):
        size = height * (0.75 - 0.15 * step)
        x = width * (0.2 + 0.2 * ((number + step) % 4))
        y = height * (0.75 - 0.12 * step)
        pen.ellipse(
            (x - size / 2, y - size / 2, x + size / 2, y + size / 2),
            _rgb(hue + 0.1 * step, 0.5, 0.5 + 0.1 * step),
        )
    pen.polygon([(0, height), (width * 0.3, height * 0.55), (width * 0.6, height)], _rgb(hue, 0.6, 0.35))
    return image


def _rgb(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return (int(red * 255), int(green * 255), int(blue * 255))


class _Painter:
    """Draws one scene."""

    def __init__(self, scene: Scene, width: int, height: int, scale: float) -> None:
        self._scene = scene
        self._widgets = layout(scene, width, height)
        if scene.landscape:
            width, height = height, width
        self._scale = scale
        self._size = (round(width * scale), round(height * scale))
        self._colours: dict[str, Colour] = DARK if scene.dark else LIGHT
        self._accent = ACCENT[scene.app]
        self._image = Image.new("RGB", self._size, self._colours["page"])
        self._pen = ImageDraw.Draw(self._image)

    def paint(self) -> Image.Image:
        for widget in self._widgets:
            if widget.y + widget.height > 0 and widget.y * self._scale < self._size[1]:
                getattr(self, "_" + widget.kind.value.replace(" ", "_"))(widget)
        self._status_bar()
        return self._image

    def _box(self, widget: Widget) -> tuple[float, float, float, float]:
        s = self._scale
        return (widget.x * s, widget.y * s, (widget.x + widget.width) * s, (widget.y + widget.height) * s)

    def _panel(self, widget: Widget, fill: Colour, outline: Colour | None = None, radius: float = 10) -> None:
        self._pen.rounded_rectangle(self._box(widget), radius * self._scale, fill, outline)

    def _write(self, x: float, y: float, text: str, size: float, fill: Colour, anchor: str = "lm") -> None:
        s = self._scale
        self._pen.text((x * s, y * s), text, fill, _font(max(6, round(size * s))), anchor=anchor)

    def _paste(self, number: int, x: float, y: float, width: float, height: float) -> None:
        s = self._scale
        self._image.paste(
            _art(number, max(1, round(width * s)), max(1, round(height * s))), (round(x * s), round(y * s))
        )

    def _status_bar(self) -> None:
        s = self._scale
        self._pen.rectangle((0, 0, self._size[0], STATUS_BAR_PT * s), self._colours["sheet"])
        self._write(28, 26, "9:41", 15, self._colours["ink"])
        right = self._size[0] / s - 30
        self._pen.rounded_rectangle(
            ((right - 22) * s, 20 * s, right * s, 31 * s), 3 * s, outline=self._colours["ink"]
        )
        self._pen.rectangle(((right - 20) * s, 22 * s, (right - 7) * s, 29 * s), self._colours["ink"])

    def _title(self, widget: Widget) -> None:
        self._pen.rectangle(self._box(widget), self._colours["sheet"])
        _, _, right, bottom = self._box(widget)
        self._pen.line((0, bottom, right, bottom), self._colours["line"])
        self._write(*widget.centre, widget.text, 18, self._colours["ink"], "mm")

    def _heading(self, widget: Widget) -> None:
        self._write(widget.x, widget.centre[1], widget.text, 19, self._colours["ink"])

    def _text(self, widget: Widget) -> None:
        self._write(widget.x, widget.centre[1], widget.text, 14, self._colours["faint"])

    def _price(self, widget: Widget) -> None:
        self._write(widget.x, widget.centre[1], widget.text, 20, self._accent)

    def _picture(self, widget: Widget) -> None:
        self._paste(widget.art, widget.x, widget.y, widget.width, widget.height)
        self._write(widget.x + 16, widget.y + widget.height - 28, widget.text, 22, (255, 255, 255))

    def _card(self, widget: Widget) -> None:
        self._panel(widget, self._colours["sheet"], self._colours["line"])
        tall = widget.height > 120
        picture = widget.height - 60 if tall else widget.height - 24
        self._paste(widget.art, widget.x + 10, widget.y + 10, widget.width - 20 if tall else picture, picture)
        x = widget.x + 12 if tall else widget.x + picture + 26
        y = widget.y + widget.height - 36 if tall else widget.y + widget.height / 2 - 12
        self._write(x, y, widget.text, 14, self._colours["ink"])
        self._write(x, y + 20, widget.tone, 14, self._accent)

    def _row(self, widget: Widget) -> None:
        self._pen.rectangle(self._box(widget), self._colours["sheet"])
        x = widget.x + 14
        if widget.art:
            side = widget.height - 16
            self._paste(widget.art, widget.x + 8, widget.y + 8, side, side)
            x += side + 4
        self._write(x, widget.centre[1], widget.text, 15, self._colours["ink"])
        self._write(
            widget.x + widget.width - 14,
            widget.centre[1],
            widget.detail or ">",
            14,
            self._colours["faint"],
            "rm",
        )

    def _field(self, widget: Widget) -> None:
        self._panel(widget, self._colours["sheet"], self._accent if widget.detail else self._colours["line"])
        ink = self._colours["ink" if widget.detail else "faint"]
        self._write(widget.x + 14, widget.centre[1], widget.detail or widget.text, 15, ink)

    _secure_field = _field

    def _button(self, widget: Widget) -> None:
        if widget.tone == "primary":
            self._panel(widget, self._accent)
        elif widget.tone != "plain":
            self._panel(widget, self._colours["sheet"], self._colours["line"])
        ink = (255, 255, 255) if widget.tone == "primary" else self._accent
        self._write(*widget.centre, widget.text, 16, ink, "mm")

    def _chip(self, widget: Widget) -> None:
        chosen = widget.tone == "selected"
        self._panel(
            widget,
            self._accent if chosen else self._colours["sheet"],
            self._colours["line"],
            widget.height / 2,
        )
        self._write(
            *widget.centre, widget.text, 14, (255, 255, 255) if chosen else self._colours["ink"], "mm"
        )

    def _tab(self, widget: Widget) -> None:
        self._pen.rectangle(self._box(widget), self._colours["sheet"])
        x, y = widget.centre
        ink = self._accent if widget.tone == "selected" else self._colours["faint"]
        s = self._scale
        self._pen.rounded_rectangle(
            ((x - 10) * s, (y - 26) * s, (x + 10) * s, (y - 8) * s), 5 * s, outline=ink, width=2
        )
        self._write(x, y + TAB_BAR_PT / 10, widget.text, 11, ink, "mm")

    def _banner(self, widget: Widget) -> None:
        self._panel(widget, DANGER)
        self._write(*widget.centre, widget.text, 14, (255, 255, 255), "mm")

    def _chart(self, widget: Widget) -> None:
        self._panel(widget, self._colours["sheet"], self._colours["line"])
        s, points = self._scale, []
        for step in range(31):
            level = 0.5 + 0.3 * ((step * (7 + widget.art) * 37 % 101) / 101 - 0.5) + step / 90
            points.append(
                (
                    (widget.x + 12 + step * (widget.width - 24) / 30) * s,
                    (widget.y + widget.height * (1.05 - level)) * s,
                )
            )
        self._pen.line(points, self._accent, round(2 * s))
        self._write(widget.x + 12, widget.y + 16, widget.text, 12, self._colours["faint"])
