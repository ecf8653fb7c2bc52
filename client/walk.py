"""A user's hands on a simulated app: each verb moves time on and writes down what app and listeners would see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from random import Random

from client.devices import Device, Platform
from client.scenes import STATUS_BAR_PT, TAB_BAR_PT, TITLE_BAR_PT, Scene, Widget, touchable
from client.screens import layout
from client.script import Emit, Show, Step
from messages import Message
from messages.schema import (
    MobileClickEvent,
    MobileEvent,
    MobileGraphQL,
    MobileInputEvent,
    MobileLog,
    MobileNetworkCall,
    MobilePerformanceEvent,
    MobileSwipeEvent,
    MobileViewComponentEvent,
)

MASKED = "***"
SCROLL_FRAMES = 3


class Walk:
    """Writes steps for one device; `at_ms` is the time reached."""

    def __init__(self, device: Device, dice: Random, scene: Scene) -> None:
        self.device = device
        self.dice = dice
        self.scene = scene
        self.at_ms = 0
        self.steps: list[Step] = []
        self._host = f"https://api.{'northtrail' if scene.app == 'shop' else 'harbourbank'}.example"

    @property
    def ios(self) -> bool:
        """Which SDK's habits to follow."""
        return self.device.platform is Platform.IOS

    def emit(self, message: Message, *, after_ms: int = 0) -> None:
        """A message now, or a little later without moving time on."""
        self.steps.append(Emit(self.at_ms + after_ms, message))

    def pause(self, least_ms: int, most_ms: int) -> None:
        """The user looks or thinks."""
        self.at_ms += self.dice.randint(least_ms, most_ms)

    # -- screens

    def open(self, screen: str, **changes: object) -> None:
        """Go to another screen; the SDK sees the views come and go."""
        before = self.scene
        fresh: dict[str, object] = {"screen": screen, "scroll": 0, "typed": (), "notice": "", **changes}
        self.at_ms += self.dice.randint(180, 420)
        self._view(before.screen, visible=False)
        self.show(**fresh)
        self._view(screen, visible=True)

    def show(self, **changes: object) -> None:
        """The same screen, changed."""
        self.scene = replace(self.scene, **changes)  # type: ignore[arg-type]
        self.steps.append(Show(self.at_ms, self.scene))

    def _view(self, screen: str, *, visible: bool) -> None:
        if self.ios:
            self.emit(MobileViewComponentEvent(screen, f"{screen}ViewController", visible))
        elif visible:
            self.emit(MobileEvent("viewAppeared", f"{screen}:{screen}Activity"))

    def rotate(self, *, landscape: bool) -> None:
        """The phone is turned."""
        self.show(landscape=landscape)
        upright = 1 if self.ios else 0
        self.emit(MobilePerformanceEvent("orientation", 3 if landscape else upright))

    # -- fingers

    def widget(self, name: str) -> Widget:
        """That widget where it is drawn now, scrolled to if it is out of reach. KeyError if the scene has none."""
        for _ in range(8):
            widgets = layout(self.scene, self.device.width, self.device.height)
            width, height = self._size()
            for widget in touchable(widgets, width, height):
                if widget.name == name:
                    return widget
            hidden = next((widget for widget in widgets if widget.name == name), None)
            if hidden is None:
                break
            above = hidden.y < STATUS_BAR_PT + TITLE_BAR_PT
            self.swipe("down" if above else "up")
        raise KeyError(f"{self.scene.screen} has no {name} in reach")

    def _size(self) -> tuple[int, int]:
        width, height = self.device.width, self.device.height
        return (height, width) if self.scene.landscape else (width, height)

    def tap(self, name: str, *, times: int = 1, gap_ms: int = 220) -> None:
        """A finger on that widget, a little off its centre."""
        widget = self.widget(name)
        for _ in range(times):
            x, y = widget.centre
            x += self.dice.uniform(-0.3, 0.3) * widget.width
            y += self.dice.uniform(-0.25, 0.25) * widget.height
            to_wire = self.device.to_wire
            self.emit(MobileClickEvent(widget.label(self.device.platform), to_wire(x), to_wire(y)))
            self.at_ms += gap_ms if times > 1 else self.dice.randint(60, 160)

    def swipe(self, direction: str) -> None:
        """The content follows the finger: `up` scrolls on, `down` back; sideways nothing moves."""
        width, height = self._size()
        distance = self.dice.randint(180, 340)
        way = {"up": distance, "down": -distance}.get(direction, 0)
        start = self.scene.scroll
        limit = self._scroll_limit()
        for frame in range(1, SCROLL_FRAMES + 1):
            self.at_ms += self.dice.randint(60, 140)
            if way:
                self.show(scroll=min(limit, max(0, start + way * frame // SCROLL_FRAMES)))
        label = "UIScrollView" if self.ios else "Swipe"
        x = self.device.to_wire(self.dice.uniform(0.3, 0.7) * width)
        y = self.device.to_wire(self.dice.uniform(0.3, 0.7) * height)
        self.emit(MobileSwipeEvent(label, x, y, direction))
        self.at_ms += self.dice.randint(200, 700)

    def _scroll_limit(self) -> int:
        _, height = self._size()
        widgets = layout(replace(self.scene, scroll=0), self.device.width, self.device.height)
        lowest = max(widget.y + widget.height for widget in widgets)
        return max(0, round(lowest + 24 - (height - TAB_BAR_PT)))

    def type(self, field: str, text: str, *, masked: bool = False) -> None:
        """Letters appear one by one; the SDK hears of it when editing ends."""
        widget = self.widget(field)
        self.tap(field)
        typed = dict(self.scene.typed)
        for end in range(1, len(text) + 1, 2):
            self.at_ms += self.dice.randint(180, 420)
            typed[field] = "*" * end if masked else text[:end]
            self.show(typed=tuple(typed.items()))
        typed[field] = "*" * len(text) if masked else text
        self.show(typed=tuple(typed.items()))
        self.at_ms += self.dice.randint(200, 500)
        label = widget.text if self.ios else f"id:{field} | text:{widget.text} | desc: | type:EditText"
        self.emit(MobileInputEvent(MASKED if masked else text, masked, label))

    # -- what the app does

    def call(
        self,
        method: str,
        path: str,
        answer: object,
        *,
        status: int = 200,
        ms: int = 0,
        sent: Mapping[str, object] | None = None,
    ) -> None:
        """An HTTP request of the app, seen when its answer is there."""
        ms = ms or self.dice.randint(40, 480)
        headers = {"Accept": "application/json", "X-Request-Id": f"{self.dice.getrandbits(64):016x}"}
        request = {"headers": headers, "body": json.dumps(sent) if sent else ""}
        response = {"headers": {"Content-Type": "application/json"}, "body": json.dumps(answer)}
        url = self._host + path
        made = MobileNetworkCall(
            "request", method, url, json.dumps(request), json.dumps(response), status, ms
        )
        self.at_ms += ms
        self.emit(made)
        self.log(f"[http] {status} {method} {path} ({ms} ms)", severity="info" if status < 500 else "error")

    def graphql(self, kind: str, name: str, variables: object, answer: object) -> None:
        """A GraphQL operation."""
        ms = self.dice.randint(30, 300)
        self.at_ms += ms
        self.emit(MobileGraphQL(kind, name, json.dumps(variables), json.dumps({"data": answer}), ms))

    def log(self, line: str, *, severity: str = "info") -> None:
        """A line on stdout or stderr."""
        self.emit(MobileLog(severity, line + "\n"), after_ms=1)

    def track(self, name: str, **payload: object) -> None:
        """An event that the app names itself."""
        self.emit(MobileEvent(name, json.dumps(payload) if payload else ""))
