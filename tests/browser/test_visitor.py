"""The visitor notices what a page must not do; else the other tests here would prove nothing."""

from __future__ import annotations

import pytest

from tests.browser.visitor import Visitor
from tests.storage.journals import until


async def test_every_kind_of_fault_is_kept(visitor: Visitor) -> None:
    await visitor.open("/")
    assert visitor.faults == []

    async def kept(script: str, *parts: str) -> None:
        await visitor.page.evaluate(script)
        await until(lambda: all(any(part in each for each in visitor.faults) for part in parts))
        visitor.faults.clear()

    await kept("() => console.error('odd')", "console error: odd")
    await kept("() => { setTimeout(() => { throw new Error('late') }) }", "exception: Error: late")
    await kept("() => { alert('here') }", "dialog: here")
    await kept("() => { new Image().src = '/player/none.png' }", "status of 404")
    # inline code and other hosts: stopped by the page's policy, and noticed
    await kept("() => { document.body.setAttribute('style', 'color: red') }", "Content Security Policy")
    await kept("() => fetch('http://other.example/').catch(() => 0)", "Content Security Policy")
    await kept("() => { location.href = 'http://other.example/' }", "request to another host")


async def test_axe_and_width_find_what_is_wrong(visitor: Visitor) -> None:
    await visitor.open("/")
    await visitor.axe()
    await visitor.no_sideways_scroll()
    await visitor.page.evaluate("""() => {
        document.body.append(new Image(), document.createElement("button"));
        document.body.style.minWidth = "3000px";
    }""")
    with pytest.raises(AssertionError, match="button-name"):
        await visitor.axe()
    with pytest.raises(AssertionError, match="px wide in a window of 1280 px"):
        await visitor.no_sideways_scroll()
