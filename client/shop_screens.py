"""The screens of a made-up shop."""

from __future__ import annotations

from dataclasses import dataclass

from client.scenes import Kind, Page, Scene, Widget

TABS = ("Home", "Search", "Cart", "Profile")
CATEGORIES = ("Shoes", "Jackets", "Camping", "Sale")


@dataclass(frozen=True, slots=True)
class Product:
    """Something to buy; `cents` its price."""

    sku: str
    name: str
    cents: int
    text: str

    @property
    def price(self) -> str:
        """As shown."""
        return f"EUR {self.cents / 100:.2f}"


PRODUCTS = (
    Product("TR-4411", "Trail Runner 4", 11_990, "Light shoe for wet paths, with a grippy sole."),
    Product("RJ-0207", "Rain Jacket Fjord", 16_450, "Three layers, taped seams, packs into its own pocket."),
    Product("TN-1302", "Two Person Tent", 24_900, "Stands in four minutes, weighs 2.1 kg."),
    Product("SB-7750", "Down Sleeping Bag", 18_990, "Comfort down to -4 degrees."),
    Product("WB-0331", "Steel Bottle 0.7 l", 2_495, "Keeps tea hot for twelve hours."),
    Product("HL-9026", "Head Torch 600", 5_990, "Rechargeable, 600 lumen, red night light."),
    Product("BP-6410", "Backpack Alpine 38", 13_900, "Vented back, rain cover included."),
    Product("SK-2208", "Wool Socks (3)", 2_990, "Merino, three pairs."),
)


def product(item: int) -> Product:
    """Product number `item`, counted round."""
    return PRODUCTS[item % len(PRODUCTS)]


def home(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """Hero picture, categories, a grid of products."""
    page = Page(scene, width, height, "Northtrail")
    page.add(Kind.PICTURE, "hero", 150, "Autumn sale: 20 % off", art=3)
    page.side_by_side([(Kind.CHIP, f"chip_{name.lower()}", name, "", 0) for name in CATEGORIES], 34)
    page.add(Kind.HEADING, "popular", 26, "Popular now", gap=6)
    for left in range(0, len(PRODUCTS), 2):
        pair = range(left, left + 2)
        page.side_by_side(
            [(Kind.CARD, f"product_{n}", product(n).name, product(n).price, n + 1) for n in pair], 200
        )
    page.tabs(TABS, "Home")
    return page.finish()


def search(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """A field and the list of what it finds."""
    page = Page(scene, width, height, "Search")
    page.add(Kind.FIELD, "search_field", 44, "Search", detail=scene.text_of("search_field"))
    for n in range(len(PRODUCTS)):
        shown = product(n + scene.item)
        page.add(
            Kind.ROW, f"result_{n}", 72, shown.name, detail=shown.price, art=(n + scene.item) % 8 + 1, gap=2
        )
    page.tabs(TABS, "Search")
    return page.finish()


def details(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """One product."""
    shown = product(scene.item)
    page = Page(scene, width, height, "Product", back=True)
    page.add(Kind.PICTURE, "photo", 300, art=scene.item % 8 + 1)
    page.add(Kind.HEADING, "name", 30, shown.name, gap=2)
    page.add(Kind.PRICE, "price", 28, shown.price)
    page.side_by_side(
        [(Kind.CHIP, f"size_{size}", size, "selected" if size == "M" else "", 0) for size in "SML"], 38
    )
    page.add(Kind.TEXT, "text", 44, shown.text)
    page.add(Kind.BUTTON, "add_to_cart", 50, "Add to cart", tone="primary")
    page.add(Kind.BUTTON, "wishlist", 44, "Wishlist")
    page.add(Kind.HEADING, "reviews", 28, "Reviews")
    for n in range(4):
        page.add(
            Kind.ROW,
            f"review_{n}",
            66,
            "Five stars" if n % 3 else "Four stars",
            detail="Verified purchase",
            gap=2,
        )
    return page.finish()


def cart(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """What is to be bought."""
    page = Page(scene, width, height, "Cart")
    chosen = [product(scene.item), product(scene.item + 3)]
    for n, shown in enumerate(chosen):
        page.add(
            Kind.ROW, f"line_{n}", 84, shown.name, detail=shown.price, art=(scene.item + 3 * n) % 8 + 1, gap=2
        )
    page.add(Kind.FIELD, "voucher_field", 44, "Voucher code", detail=scene.text_of("voucher_field"))
    page.add(Kind.BUTTON, "redeem", 44, "Redeem")
    total = sum(shown.cents for shown in chosen) / 100
    page.add(Kind.PRICE, "total", 34, f"Total EUR {total:.2f}")
    page.add(Kind.BUTTON, "checkout", 52, "Checkout", tone="primary")
    page.tabs(TABS, "Cart")
    return page.finish()


def checkout(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """Address and card; the card's number is masked."""
    page = Page(scene, width, height, "Checkout", back=True)
    page.add(Kind.HEADING, "address", 28, "Delivery")
    for name, text in (("name_field", "Name"), ("street_field", "Street"), ("city_field", "City")):
        page.add(Kind.FIELD, name, 46, text, detail=scene.text_of(name))
    page.add(Kind.HEADING, "payment", 28, "Payment")
    page.add(Kind.SECURE_FIELD, "card_field", 46, "Card number", detail=scene.text_of("card_field"))
    page.add(Kind.SECURE_FIELD, "cvc_field", 46, "CVC", detail=scene.text_of("cvc_field"))
    page.add(Kind.BUTTON, "pay", 52, "Pay now", tone="primary")
    return page.finish()


def done(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """Thank you."""
    page = Page(scene, width, height, "Order")
    page.add(Kind.PICTURE, "thanks", 220, "Thank you!", art=5)
    page.add(Kind.TEXT, "order", 44, f"Order NT-{20_400 + scene.item * 7} is on its way.")
    page.add(Kind.BUTTON, "continue", 50, "Continue shopping", tone="primary")
    page.tabs(TABS, "Home")
    return page.finish()


def profile(scene: Scene, width: int, height: int) -> tuple[Widget, ...]:
    """Settings; the dark mode switch lives here."""
    page = Page(scene, width, height, "Profile")
    page.add(Kind.CARD, "me", 90, "Ada Berg", tone="Member since 2021", art=2)
    for name in ("Orders", "Addresses", "Dark mode", "Notifications", "Help", "Sign out"):
        page.add(Kind.ROW, f"row_{name.lower().replace(' ', '_')}", 56, name, gap=1)
    page.tabs(TABS, "Profile")
    return page.finish()


LAYOUTS = {
    "Home": home,
    "Search": search,
    "Product": details,
    "Cart": cart,
    "Checkout": checkout,
    "Order": done,
    "Profile": profile,
}
