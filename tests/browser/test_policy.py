"""No text becomes markup or code in the player's pages, even if a page were mistaken: the browser refuses it."""

from __future__ import annotations

import pytest

from tests.browser.visitor import Visitor

INJECTIONS = [
    "document.body.innerHTML = '<b>x</b>'",
    "document.body.insertAdjacentHTML('beforeend', '<b>x</b>')",
    "document.write('<b>x</b>')",
    "document.createRange().createContextualFragment('<b>x</b>')",
    "new DOMParser().parseFromString('<b>x</b>', 'text/html')",
    "document.body.setAttribute('onclick', 'f()')",
    "document.createElement('iframe').srcdoc = '<b>x</b>'",
    "document.createElement('script').text = 'f()'",
    "document.createElement('script').src = '/player/app.js'",
    "setTimeout('f()')",
    "new Worker('/player/app.js')",
    "new Worker('data:text/javascript,f()')",
    "trustedTypes.createPolicy('other', {})",
    "trustedTypes.createPolicy('default', {})",
]


async def test_text_becomes_neither_markup_nor_code(visitor: Visitor) -> None:
    visitor.expect("Trusted|Content Security Policy|favicon.ico")
    await visitor.open("/sign-in")
    await visitor.page.get_by_label("key").wait_for()
    for injection in INJECTIONS:
        told = await visitor.page.evaluate(
            f"() => {{ try {{ {injection} }} catch (problem) {{ return problem.name }} return 'let through' }}"
        )
        assert told == "TypeError", injection


@pytest.mark.parametrize("path", ["/", "/sign-in", "/replays/1"])
async def test_every_page_lives_with_the_policy(visitor: Visitor, path: str) -> None:
    visitor.expect("status of 404|favicon.ico")
    await visitor.sign_in()
    await visitor.open(path)
    await visitor.page.locator("#main *").first.wait_for()
    started = await visitor.page.evaluate("""() => {
        const { src } = document.querySelector("script[type=module]");
        new Worker(new URL("frame_worker.js", src)).terminate();
        return true;
    }""")
    assert started
