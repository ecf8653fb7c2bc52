"""What stands on a simulated screen: scenes and their widgets, in points. Taps hit what is drawn.

`shop_screens.py` and `bank_screens.py` lay scenes out, `screens.py` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from client.devices import Platform

STATUS_BAR_PT = 47
TITLE_BAR_PT = 52
TAB_BAR_PT = 74
MARGIN_PT = 16


class Kind(StrEnum):
    """How a widget looks and whether it can be touched."""

    TITLE = "title"
    HEADING = "heading"
    TEXT = "text"
    PRICE = "price"
    PICTURE = "picture"
    CARD = "card"
    ROW = "row"
    FIELD = "field"
    SECURE_FIELD = "secure field"
    BUTTON = "button"
    CHIP = "chip"
    TAB = "tab"
    BANNER = "banner"
    CHART = "chart"


TOUCHABLE = frozenset({Kind.CARD, Kind.ROW, Kind.FIELD, Kind.SECURE_FIELD, Kind.BUTTON, Kind.CHIP, Kind.TAB})
_IOS_CLASS = {
    Kind.BUTTON: "UIButton",
    Kind.CHIP: "UIButton",
    Kind.TAB: "UITabBarButton",
    Kind.FIELD: "UITextField",
    Kind.SECURE_FIELD: "UITextField",
    Kind.ROW: "UITableViewCellContentView",
    Kind.CARD: "UICollectionViewCell",
}


@dataclass(frozen=True, slots=True)
class Widget:
    """A rectangle on the screen; `name` is the app's identifier, `text` what is written on it."""

    kind: Kind
    name: str
    x: float
    y: float
    width: float
    height: float
    text: str = ""
    detail: str = ""
    tone: str = ""  # primary, danger, muted, selected
    art: int = 0  # which picture

    @property
    def centre(self) -> tuple[float, float]:
        """Where a finger would aim."""
        return (self.x + self.width / 2, self.y + self.height / 2)

    def label(self, platform: Platform) -> str:
        """What the SDK calls a touched view. Source: spec/openreplay-mobile.md 3.6."""
        if platform is Platform.IOS:
            of_class = _IOS_CLASS.get(self.kind, "UILabel")
            shown = self.text if of_class in {"UIButton", "UITextField", "UILabel"} else ""
            return f"{of_class} '{shown}'" if shown else of_class
        view = "EditText" if self.kind in {Kind.FIELD, Kind.SECURE_FIELD} else "Button"
        text = "" if self.kind is Kind.CARD else self.text[:50]
        return f"id:{self.name} | text:{text} | desc:{self.detail[:50]} | type:{view}"


@dataclass(frozen=True, slots=True)
class Scene:
    """A state of the app; equal scenes look equal. `item`: which product or account; `typed`: field, text."""

    app: str
    screen: str
    item: int = 0
    scroll: int = 0
    typed: tuple[tuple[str, str], ...] = ()
    dark: bool = False
    notice: str = ""
    landscape: bool = False

    def text_of(self, field: str) -> str:
        """What stands in a field; empty: its placeholder shows."""
        return dict(self.typed).get(field, "")


class Page:
    """Puts widgets below each other, as the layouts do; `top` is the next free y."""

    def __init__(self, scene: Scene, width: int, height: int, title: str, *, back: bool = False) -> None:
        self.width = width
        self.height = height
        self.widgets: list[Widget] = []
        self.top = float(STATUS_BAR_PT + TITLE_BAR_PT + 8 - scene.scroll)
        self._frame: list[Widget] = [
            Widget(
                Kind.TITLE, "title", 0, STATUS_BAR_PT, width, TITLE_BAR_PT, title, tone="back" if back else ""
            )
        ]
        if back:
            self._frame.append(
                Widget(Kind.BUTTON, "back", 4, STATUS_BAR_PT + 6, 64, 40, "Back", tone="plain")
            )
        if scene.notice:
            y = STATUS_BAR_PT + TITLE_BAR_PT + 4
            self._frame.append(
                Widget(
                    Kind.BANNER,
                    "notice",
                    MARGIN_PT,
                    y,
                    width - 2 * MARGIN_PT,
                    44,
                    scene.notice,
                    tone="danger",
                )
            )

    def add(
        self, kind: Kind, name: str, height: float, text: str = "", *, gap: float = 10, **more: object
    ) -> None:
        """One widget over the whole width."""
        self.place(Widget(kind, name, MARGIN_PT, self.top, self.width - 2 * MARGIN_PT, height, text, **more))  # type: ignore[arg-type]
        self.top += height + gap

    def side_by_side(
        self, widgets: list[tuple[Kind, str, str, str, int]], height: float, gap: float = 10
    ) -> None:
        """Several of the same width: (kind, name, text, tone, art)."""
        inner = self.width - 2 * MARGIN_PT - gap * (len(widgets) - 1)
        each = inner / len(widgets)
        for place, (kind, name, text, tone, art) in enumerate(widgets):
            x = MARGIN_PT + place * (each + gap)
            self.place(Widget(kind, name, x, self.top, each, height, text, tone=tone, art=art))
        self.top += height + gap

    def place(self, widget: Widget) -> None:
        """Anywhere."""
        self.widgets.append(widget)

    def tabs(self, names: tuple[str, ...], selected: str) -> None:
        """The bar at the bottom."""
        each = self.width / len(names)
        for place, name in enumerate(names):
            self._frame.append(
                Widget(
                    Kind.TAB,
                    f"tab_{name.lower()}",
                    place * each,
                    self.height - TAB_BAR_PT,
                    each,
                    TAB_BAR_PT,
                    name,
                    tone="selected" if name == selected else "muted",
                )
            )

    def finish(self) -> tuple[Widget, ...]:
        """Content first, then what lies over it."""
        return (*self.widgets, *self._frame)


def touchable(widgets: tuple[Widget, ...], width: int, height: int) -> list[Widget]:
    """Those that a finger can reach: wholly between the title bar and the tab bar, or on them."""
    bottom = height - TAB_BAR_PT if any(widget.kind is Kind.TAB for widget in widgets) else height
    return [
        widget
        for widget in widgets
        if widget.kind in TOUCHABLE
        and widget.x >= 0
        and widget.x + widget.width <= width
        and (
            widget.kind is Kind.TAB
            or widget.name == "back"
            or (widget.y >= STATUS_BAR_PT + TITLE_BAR_PT and widget.y + widget.height <= bottom)
        )
    ]
