"""The screens of a made-up bank."""

from __future__ import annotations

from client.scenes import Kind, Page, Scene, Widget

TABS = ("Accounts", "Transfer", "Cards", "More")
ACCOUNTS = (("Everyday", 312_440), ("Savings", 1_840_210), ("Holiday", 52_075))
BOOKINGS = (
    ("Bakery Lindner", -640),
    ("Salary", 324_000),
    ("City Transit", -5_490),
    ("Energy South", -8_950),
    ("Grocer 24", -4_312),
    ("Cinema Odeon", -2_400),
    ("Pharmacy", -1_895),
    ("Rent", -98_000),
    ("Book Corner", -2_290),
)


def money(cents: int) -> str:
    """As shown."""
    return f"{'-' if cents < 0 else ''}EUR {abs(cents) / 100:,.2f}"


def login(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """User name and a secure field."""
    page = Page(scene, width, height, "Harbour Bank")
    page.add(Kind.PICTURE, "logo", 170, "Harbour Bank", art=7)
    page.add(Kind.FIELD, "user_field", 48, "Customer number", detail=scene.text_of("user_field"))
    page.add(Kind.SECURE_FIELD, "pin_field", 48, "PIN", detail=scene.text_of("pin_field"))
    page.add(Kind.BUTTON, "sign_in", 52, "Sign in", tone="primary")
    page.add(Kind.BUTTON, "forgot", 40, "Forgot your PIN?")
    return page.finish()


def accounts(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """Balances and a chart."""
    page = Page(scene, width, height, "Accounts")
    page.add(Kind.CHART, "chart", 150, "Balance, last 30 days", art=scene.item)
    for n, (name, cents) in enumerate(ACCOUNTS):
        page.add(Kind.CARD, f"account_{n}", 86, name, tone=money(cents), art=n + 1)
    page.add(Kind.BUTTON, "new_transfer", 50, "New transfer", tone="primary")
    page.tabs(TABS, "Accounts")
    return page.finish()


def bookings(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """One account's list."""
    name, cents = ACCOUNTS[scene.item % len(ACCOUNTS)]
    page = Page(scene, width, height, name, back=True)
    page.add(Kind.PRICE, "balance", 44, money(cents))
    for n in range(18):
        who, amount = BOOKINGS[(n * 5 + scene.item) % len(BOOKINGS)]
        page.add(Kind.ROW, f"booking_{n}", 58, who, detail=money(amount), gap=1)
    return page.finish()


def transfer(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """A form."""
    page = Page(scene, width, height, "Transfer")
    fields = (
        ("payee_field", "Payee"),
        ("iban_field", "IBAN"),
        ("amount_field", "Amount"),
        ("reference_field", "Reference"),
    )
    for name, text in fields:
        page.add(Kind.FIELD, name, 48, text, detail=scene.text_of(name))
    page.add(Kind.SECURE_FIELD, "tan_field", 48, "TAN", detail=scene.text_of("tan_field"))
    page.add(Kind.BUTTON, "send", 52, "Send money", tone="primary")
    page.add(Kind.BUTTON, "cancel", 44, "Cancel")
    page.tabs(TABS, "Transfer")
    return page.finish()


def sent(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """The receipt."""
    page = Page(scene, width, height, "Transfer")
    page.add(Kind.PICTURE, "tick", 200, "Sent", art=5)
    page.add(Kind.TEXT, "receipt", 44, f"Reference {88_000 + scene.item * 13}, booked today.")
    page.add(Kind.BUTTON, "to_accounts", 50, "Back to accounts", tone="primary")
    page.tabs(TABS, "Transfer")
    return page.finish()


def cards(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """Cards and what can be done with them."""
    page = Page(scene, width, height, "Cards")
    page.add(Kind.PICTURE, "card", 200, "Debit card", art=6)
    for name in ("Limits", "Block card", "Show PIN", "Travel notice"):
        page.add(Kind.ROW, f"row_{name.lower().replace(' ', '_')}", 56, name, gap=1)
    page.tabs(TABS, "Cards")
    return page.finish()


LAYOUTS = {
    "Login": login,
    "Accounts": accounts,
    "Bookings": bookings,
    "Transfer": transfer,
    "Sent": sent,
    "Cards": cards,
}
