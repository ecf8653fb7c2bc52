"""Which screen a message brings up. Source: spec/openreplay-mobile.md section 3.6."""

from __future__ import annotations

from messages import Message
from messages.schema import IOSScreenEnter, MobileEvent, MobileViewComponentEvent

#: Android's name for what iOS tells in message 98; its payload is `screen:view`
ANDROID_VIEW = "viewAppeared"


def shown_screen(message: Message) -> str:
    """Name of the screen that appears with this message; empty: none does."""
    if isinstance(message, MobileViewComponentEvent):
        return (message.screen_name or message.view_name) if message.visible else ""
    if isinstance(message, IOSScreenEnter):
        return message.title or message.view_name
    if isinstance(message, MobileEvent) and message.name == ANDROID_VIEW:
        return message.payload.split(":", 1)[0]
    return ""
