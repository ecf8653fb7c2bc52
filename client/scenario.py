"""What users do: seeded visits to a shop or a bank, as scripts that the SDK model plays.

The same seed gives the same script. `Wishes` ask for what a demonstration or a test wants to see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from client.bank_screens import ACCOUNTS
from client.crashes import crash_of
from client.devices import Device
from client.scenes import Scene
from client.script import Background, CrashSend, Ending, Freeze, Script, Show, Step, Vitals
from client.shop_screens import PRODUCTS, product
from client.walk import Walk
from messages.schema import MobileMetadata, MobilePerformanceEvent, MobileUserAnonymousID, MobileUserID

FIRST_NAMES = ("ada", "bruno", "chidi", "dora", "emil", "farah", "goran", "hanna", "ivo", "june")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What must happen in a visit. `app` (shop or bank) and `user`: as the seed has it if empty."""

    app: str = ""
    user: str = ""
    crash: CrashSend | None = None
    background_ms: int = 0
    freeze_ms: int = 0
    rage: bool = False
    rotate: bool = False
    errors: bool = False
    ending: Ending = Ending.LEFT


def make_script(device: Device, seed: int, minutes: float, wishes: Wishes | None = None) -> Script:
    """One launch of about `minutes`, with whatever `wishes` ask for (by default as the seed has it)."""
    dice = Random(f"{seed}/{device.model}")
    wishes = wishes or usual_wishes(dice)
    duration_ms = max(8_000, int(minutes * 60_000 * dice.uniform(0.85, 1.15)))
    app = wishes.app or dice.choice(("shop", "shop", "bank"))
    walk = Walk(device, dice, Scene(app, "Home" if app == "shop" else "Login"))
    _arrive(walk, wishes.user or f"{FIRST_NAMES[seed % len(FIRST_NAMES)]}{seed % 97}", seed)
    visit: Callable[[Walk, Wishes], None] = _shop_round if app == "shop" else _bank_round
    while walk.at_ms < duration_ms:
        visit(walk, wishes)
    steps = sorted((step for step in walk.steps if step.at_ms < duration_ms), key=lambda step: step.at_ms)
    steps, duration_ms = _interrupt(steps, duration_ms, device, dice, wishes)
    vitals = Vitals(
        seed % 10_007, device.processors, device.memory_kb, dice.randint(20, 100), dice.random() < 0.15
    )
    return Script(duration_ms, tuple(steps), vitals, wishes.ending)


def usual_wishes(dice: Random) -> Wishes:
    """How visits go on average."""
    return Wishes(
        crash=dice.choice(list(CrashSend)) if dice.random() < 0.12 else None,
        background_ms=dice.randint(6_000, 40_000) if dice.random() < 0.4 else 0,
        rage=dice.random() < 0.2,
        rotate=dice.random() < 0.2,
        errors=dice.random() < 0.35,
        ending=Ending.KILLED if dice.random() < 0.1 else Ending.LEFT,
    )


def _interrupt(
    steps: list[Step], duration_ms: int, device: Device, dice: Random, wishes: Wishes
) -> tuple[list[Step], int]:
    """Lay background, a stuck main thread and a crash over the visit."""
    if wishes.background_ms:
        steps = _with_gap(steps, int(duration_ms * 0.45), wishes.background_ms, Background)
        duration_ms += wishes.background_ms
    if wishes.freeze_ms:
        steps = _with_gap(steps, int(duration_ms * 0.6), wishes.freeze_ms, Freeze)
        duration_ms += wishes.freeze_ms
    if wishes.crash:
        at_ms = int(duration_ms * dice.uniform(0.85, 0.97))
        steps = [step for step in steps if step.at_ms < at_ms] + [crash_of(at_ms, device, dice, wishes.crash)]
    return steps, duration_ms


def _with_gap(
    steps: list[Step], at_ms: int, length_ms: int, kind: type[Background] | type[Freeze]
) -> list[Step]:
    """Nothing happens for `length_ms`; the rest of the visit follows later."""
    before = [step for step in steps if step.at_ms < at_ms]
    after = [_later(step, length_ms + 400) for step in steps if step.at_ms >= at_ms]
    return [*before, kind(at_ms, length_ms), *after]


def _later(step: Step, by_ms: int) -> Step:
    return replace(step, at_ms=step.at_ms + by_ms)


def _arrive(walk: Walk, user: str, seed: int) -> None:
    """First screen, who the user is, what the app attaches."""
    walk.steps.append(Show(0, walk.scene))
    walk.at_ms = 40
    if walk.ios:
        walk.emit(MobileUserAnonymousID(f"guest-{seed % 1000:03d}"))
    walk.emit(MobileMetadata("plan", walk.dice.choice(("free", "plus", "team"))))
    walk.emit(MobileMetadata("appVersion", walk.dice.choice(("4.11.2", "4.12.0"))))
    walk.emit(MobileUserID(f"{user}@example.com"), after_ms=600)
    walk.emit(MobilePerformanceEvent("orientation", 1 if walk.ios else 0), after_ms=20)
    if walk.ios:
        walk.emit(MobilePerformanceEvent("networkState", walk.dice.randint(0, 1)), after_ms=30)
    walk.log("[app] started")
    walk.call("GET", "/v3/config", {"flags": {"newCheckout": True, "darkMode": True}}, ms=120)


def _shop_round(walk: Walk, wishes: Wishes) -> None:
    """Look around, search, open a product, put it in the cart, sometimes buy it."""
    dice = walk.dice
    item = dice.randrange(len(PRODUCTS))
    if walk.scene.screen != "Home":
        walk.open("Home")
    walk.call("GET", f"/v3/catalog?page={dice.randint(1, 4)}", _catalog(dice))
    walk.pause(900, 2_500)
    for _ in range(dice.randint(1, 3)):
        walk.swipe("up")
        walk.pause(500, 1_800)
    if dice.random() < 0.5:
        walk.tap("tab_search")
        walk.open("Search", item=item)
        walk.type("search_field", dice.choice(("tent", "socks", "rain jacket", "torch")))
        walk.graphql(
            "query",
            "SearchProducts",
            {"q": walk.scene.text_of("search_field")},
            {"hits": dice.randint(1, 40)},
        )
        walk.pause(700, 1_800)
        walk.tap(f"result_{dice.randrange(4)}")
    else:
        walk.tap(f"product_{item}")
    _product_page(walk, wishes, item)
    if dice.random() < 0.8:
        _buy(walk, wishes, item)
    if wishes.rotate or dice.random() < 0.1:
        walk.rotate(landscape=True)
        walk.pause(2_500, 5_000)
        walk.rotate(landscape=False)
    if dice.random() < 0.4:
        walk.tap("tab_profile") if walk.scene.screen in {"Home", "Cart", "Order", "Search"} else walk.tap(
            "back"
        )
        walk.open("Profile")
        walk.tap("row_dark_mode")
        walk.show(dark=not walk.scene.dark)
        walk.track("theme_changed", dark=walk.scene.dark)
        walk.pause(1_500, 3_000)


def _product_page(walk: Walk, wishes: Wishes, item: int) -> None:
    shown = product(item)
    walk.open("Product", item=item)
    walk.call(
        "GET",
        f"/v3/products/{shown.sku}",
        {"sku": shown.sku, "name": shown.name, "stock": walk.dice.randint(0, 9)},
    )
    walk.track("product_viewed", sku=shown.sku, price=shown.cents / 100)
    walk.pause(1_500, 4_000)
    walk.swipe("up")
    walk.pause(800, 2_500)
    walk.tap(f"size_{walk.dice.choice('SML')}")
    if walk.ios and walk.dice.random() < 0.2:
        walk.emit(MobilePerformanceEvent("memoryWarning", 0))
    walk.tap("add_to_cart")
    failed = wishes.errors and walk.dice.random() < 0.4
    walk.call(
        "POST",
        "/v3/cart/items",
        {"error": "out_of_stock"} if failed else {"items": walk.dice.randint(1, 4)},
        status=409 if failed else 201,
        sent={"sku": shown.sku, "quantity": 1},
    )
    if failed:
        walk.show(notice="Sold out in this size")
        walk.pause(1_500, 2_500)
    else:
        walk.track("added_to_cart", sku=shown.sku)


def _buy(walk: Walk, wishes: Wishes, item: int) -> None:
    dice = walk.dice
    walk.tap("back")
    walk.open("Home")
    walk.tap("tab_cart")
    walk.open("Cart", item=item)
    walk.call("GET", "/v3/cart", {"lines": 2, "currency": "EUR"})
    walk.pause(1_000, 2_500)
    if wishes.rage:
        walk.type("voucher_field", "AUTUMN20")
        walk.tap("redeem", times=dice.randint(4, 6))
        walk.call(
            "POST",
            "/v3/vouchers",
            {"error": "voucher_unknown"},
            status=422,
            sent={"code": "AUTUMN20"},
            ms=2_400,
        )
        walk.show(notice="This code is not valid")
        walk.pause(1_200, 2_000)
    walk.tap("checkout")
    walk.open("Checkout", item=item)
    walk.type("name_field", "Ada Berg")
    walk.type("street_field", "Harbour Road 12")
    walk.type("city_field", "Bergen")
    walk.type("card_field", "4111111111111111", masked=True)
    walk.type("cvc_field", "737", masked=True)
    if wishes.errors:
        walk.tap("pay")
        walk.call(
            "POST", "/v3/orders", {"error": "upstream timeout"}, status=503, ms=4_800, sent={"total": 14_980}
        )
        walk.log("PaymentError: upstream timeout (psp-2)", severity="error")
        walk.show(notice="Payment failed, try again")
        walk.pause(2_000, 4_000)
    walk.tap("pay")
    walk.call(
        "POST", "/v3/orders", {"order": f"NT-{20_400 + item * 7}"}, status=201, sent={"total": 14_980}, ms=900
    )
    walk.graphql("mutation", "PlaceOrder", {"cart": item}, {"placeOrder": {"ok": True}})
    walk.open("Order", item=item)
    walk.track("order_placed", total=149.80, currency="EUR")
    walk.pause(2_000, 4_000)
    walk.tap("continue")


def _bank_round(walk: Walk, wishes: Wishes) -> None:
    """Sign in, look at the accounts, send money."""
    dice = walk.dice
    if walk.scene.screen == "Login":
        _sign_in(walk, wishes)
    else:
        walk.open("Accounts", item=dice.randrange(3))
    walk.call("GET", "/api/accounts", [{"name": name, "cents": cents} for name, cents in ACCOUNTS])
    walk.pause(1_500, 3_500)
    account = dice.randrange(len(ACCOUNTS))
    walk.tap(f"account_{account}")
    walk.open("Bookings", item=account)
    walk.graphql("query", "Bookings", {"account": account, "first": 50}, {"bookings": {"count": 18}})
    for _ in range(dice.randint(1, 3)):
        walk.swipe("up")
        walk.pause(700, 2_200)
    walk.tap("back")
    walk.open("Accounts", item=account)
    walk.tap("new_transfer")
    _transfer(walk, wishes, account)
    if wishes.rotate:
        walk.rotate(landscape=True)
        walk.pause(2_500, 5_000)
        walk.rotate(landscape=False)
    if dice.random() < 0.5:
        walk.tap("tab_cards")
        walk.open("Cards", dark=dice.random() < 0.5)
        walk.tap("row_limits", times=4 if wishes.rage else 1)
        walk.pause(1_200, 2_500)


def _sign_in(walk: Walk, wishes: Wishes) -> None:
    walk.pause(800, 1_600)
    walk.type("user_field", "20418873")
    walk.type("pin_field", "90210", masked=True)
    walk.tap("sign_in")
    if wishes.errors:
        walk.call(
            "POST", "/api/login", {"error": "wrong_pin", "left": 2}, status=401, sent={"user": "20418873"}
        )
        walk.show(notice="Wrong PIN, two tries left")
        walk.type("pin_field", "90211", masked=True)
        walk.tap("sign_in")
    walk.call("POST", "/api/login", {"ok": True}, sent={"user": "20418873"}, ms=640)
    walk.track("signed_in", method="pin")
    walk.open("Accounts")


def _transfer(walk: Walk, wishes: Wishes, account: int) -> None:
    dice = walk.dice
    walk.open("Transfer", item=account)
    walk.type("payee_field", dice.choice(("Mara Holm", "City Gym", "Jo Lind")))
    walk.type("iban_field", "NO93 8601 1117 947")
    walk.type("amount_field", f"{dice.randint(5, 400)},00")
    walk.type("reference_field", dice.choice(("dinner", "rent", "thank you")))
    walk.type("tan_field", "481516", masked=True)
    walk.tap("send", times=5 if wishes.rage else 1)
    if wishes.errors:
        walk.call(
            "POST", "/api/transfers", {"error": "limit_exceeded"}, status=422, sent={"account": account}
        )
        walk.show(notice="Daily limit exceeded")
        walk.pause(1_500, 3_000)
        walk.tap("send")
    walk.call(
        "POST",
        "/api/transfers",
        {"reference": 88_000 + account},
        status=201,
        sent={"account": account},
        ms=1_100,
    )
    walk.open("Sent", item=account)
    walk.track("transfer_sent", account=account)
    walk.pause(1_500, 3_500)
    walk.tap("to_accounts")
    walk.open("Accounts", item=account)


def _catalog(dice: Random) -> dict[str, object]:
    chosen = dice.sample(PRODUCTS, k=dice.randint(3, 8))
    items = [{"sku": p.sku, "name": p.name, "cents": p.cents, "text": p.text} for p in chosen]
    return {"items": items, "total": 214}
