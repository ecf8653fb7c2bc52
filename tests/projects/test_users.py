"""Users known to a project, as two processes have them."""

from __future__ import annotations

from projects import ProjectUser, parse_create
from tests.projects.test_service import two

__all__ = ["two"]


async def test_users_are_added_renamed_and_listed(two) -> None:
    one, other = two
    shop = (await one.projects.create(parse_create({"name": "Shop", "key": "shop"}))).project_id
    cafe = (await one.projects.create(parse_create({"name": "Cafe", "key": "cafe"}))).project_id
    assert await other.projects.user_name(shop, 10) is None
    await one.projects.put_users(shop, [ProjectUser(10, "alice"), ProjectUser(2**62, "bob")])
    await one.projects.put_users(shop, [ProjectUser(10, "x"), ProjectUser(10, "ålice")])
    await one.projects.put_users(cafe, [])
    assert await one.projects.user_name(shop, 10) == "ålice"
    assert await one.projects.user_name(shop, 2**62) == "bob"
    assert await one.projects.user_name(cafe, 10) is None
    users = [ProjectUser(10, "ålice"), ProjectUser(2**62, "bob")]
    assert list(await other.projects.users(shop)) == users
    assert list(await other.projects.users(shop, after=10)) == users[1:]
    assert list(await other.projects.users(shop, limit=1)) == users[:1]


async def test_a_new_name_is_seen_by_the_other_process_soon(two) -> None:
    import asyncio

    one, other = two
    shop = (await one.projects.create(parse_create({"name": "Shop", "key": "shop"}))).project_id
    assert await other.projects.user_name(shop, 10) is None
    await one.projects.put_users(shop, [ProjectUser(10, "alice")])
    async with asyncio.timeout(10):
        while True:
            if await other.projects.user_name(shop, 10) == "alice":
                return
            await asyncio.sleep(0.02)
