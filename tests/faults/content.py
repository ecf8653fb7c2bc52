"""Everything that is sent, made from ids: the same seed makes the same messages, pictures, events and visits.

Each id is part of what it makes, so no two items are alike.
"""

from __future__ import annotations

from random import Random
from typing import Any

from client.devices import DEVICES, Device, Platform
from client.script import Background, Crash, CrashSend, Emit, Ending, Freeze, Script, Step, Vitals
from messages import Message, schema

WORDS = ("Buy", "Zurück", "カート", "🛒", "naïve", "Log in", "O'Neil", "100 %", "<b>", "a\\b")


def message(id: str) -> Message:
    """What an app reports under this id."""
    dice = Random(id)
    word = f"{dice.choice(WORDS)} {id}"
    x, y = dice.randrange(400), dice.randrange(800)
    made = (
        lambda: schema.MobileEvent(word, f'{{"id": "{id}"}}'),
        lambda: schema.MobileClickEvent(word, x, y),
        lambda: schema.MobileSwipeEvent(word, x, y, dice.choice(("left", "right", "up", "down"))),
        lambda: schema.MobileInputEvent("***" if x % 2 else word, bool(x % 2), id),
        lambda: schema.MobileLog(dice.choice(("info", "error")), word + "." * dice.randrange(300)),
        lambda: schema.MobileNetworkCall(
            "request", "GET", f"https://shop.test/{id}", "{}", '{"body": ""}', dice.choice((200, 404)), y
        ),
        lambda: schema.MobileViewComponentEvent("Home", word, True),
    )
    return dice.choice(made)()


def picture(id: str, form: str = "jpeg") -> bytes:
    """Bytes that pass for a picture of that format and are like no other."""
    dice = Random(id)
    noise = dice.randbytes(dice.randrange(200, 3_000))
    if form == "webp":
        return b"RIFF" + (len(noise) + 4).to_bytes(4, "little") + b"WEBP" + noise
    return b"\xff\xd8\xff\xe0" + noise


def event(id: str) -> dict[str, Any]:
    """Members of an event, without its time."""
    dice = Random(id)
    data = {"id": id, "word": dice.choice(WORDS), "price": dice.randrange(10_000), "on": dice.random() < 0.5}
    return {
        "session_id": f"visit-{dice.randrange(50)}",
        "category": dice.choice(("order", "search", "page")),
        "name": f"{dice.choice(WORDS)}",
        "data": data,
    }


def device(number: int) -> Device:
    """The model of the phone of that number: iOS and Android in turn."""
    kind = DEVICES[(Platform.IOS, Platform.ANDROID)[number % 2]]
    return kind[number // 2 % len(kind)]


def visit(id: str) -> Script:
    """One launch of an app of 15 to 60 s: it may be left, stuck, crash, or be ended without notice."""
    dice = Random(id)
    duration_ms = dice.randrange(15_000, 60_000)
    steps: list[Step] = []
    at_ms, number = 0, 0
    while (at_ms := at_ms + dice.randrange(20, 900)) < duration_ms:
        number += 1
        steps.append(Emit(at_ms, message(f"{id}.{number}")))
    fate = dice.random()
    if fate < 0.3:
        steps.append(Background(dice.randrange(5_000, duration_ms), dice.randrange(2_000, 8_000)))
    elif fate < 0.45:
        how = dice.choice(list(CrashSend))
        steps.append(Crash(duration_ms - 1, "NSRangeException", f"crash of {id}", f"{id}\nmain", how))
    elif fate < 0.55:
        steps.append(Freeze(dice.randrange(5_000, duration_ms), 6_000))
    ending = Ending.KILLED if dice.random() < 0.2 else Ending.LEFT
    vitals = Vitals(dice.randrange(10_000), 6, 4_000_000)
    return Script(duration_ms, tuple(sorted(steps, key=lambda step: step.at_ms)), vitals, ending)
