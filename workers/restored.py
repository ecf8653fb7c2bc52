"""Erasures for a database that was restored from before them: told as lines of JSON, done again.

Who is erased again is a session, a user or a project; what a user sent after the erasure is a new life and stays.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Annotated, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from events import erased_users, refusals
from playhead.errors import NotFound
from projects import store
from sessions import erasure
from sessions.model import new_session
from workers import erasing

if TYPE_CHECKING:
    from playhead.wiring import Services

PAGE: Final = 1_000
#: a project that is not there gets its mark, too: its id is not given away again
MARK_PROJECT: Final = """
WITH next AS (
    SELECT setval(s::regclass, greatest($1, nextval(s::regclass)))
    FROM pg_get_serial_sequence('projects', 'project_id') s
)
INSERT INTO erased_projects (project_id, project_key, erased_ms) SELECT $1, $2, $3 FROM next ON CONFLICT DO NOTHING
"""


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid")

    project_id: Annotated[int, Field(ge=1, lt=2**31)]


class ErasedSession(_Told):
    """A session, gone for good."""

    kind: Literal["session"] = "session"
    session_id: Annotated[int, Field(ge=0, lt=2**63)]


class ErasedUser(_Told):
    """A user; `until_us`: what arrived until then is not to be kept, µs since the epoch."""

    kind: Literal["user"] = "user"
    user_id: Annotated[str, Field(min_length=1)]
    until_us: Annotated[int, Field(ge=0, lt=2**63)]


class ErasedProject(_Told):
    """A project with all that was its own."""

    kind: Literal["project"] = "project"
    project_key: Annotated[str, Field(min_length=1)]


Told = Annotated[ErasedSession | ErasedUser | ErasedProject, Field(discriminator="kind")]
_READER: Final[TypeAdapter[ErasedSession | ErasedUser | ErasedProject]] = TypeAdapter(Told)


class NoErasure(ValueError):
    """A line that tells of none."""


async def told(services: Services) -> AsyncIterator[bytes]:
    """All erasures that this database knows, a line each."""
    for project in await erasing.page(services.db, None):
        yield _line(ErasedProject(project_id=project.project_id, project_key=project.project_key))
    for project_id, user_id, until_us in await erased_users.every(services.db):
        yield _line(ErasedUser(project_id=project_id, user_id=user_id, until_us=until_us))
    before = None
    while found := await erasure.page(services.db, project_ids=None, before=before, limit=PAGE):
        before = found[-1].session_id
        for each in found:
            yield _line(ErasedSession(project_id=each.project_id, session_id=each.session_id))


def read(lines: Iterable[bytes]) -> list[ErasedSession | ErasedUser | ErasedProject]:
    """The inverse of `told`. Raises NoErasure."""
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(_READER.validate_json(line))
            except ValidationError:
                raise NoErasure(f"line {number} tells of no erasure") from None
    return found


async def erase_again(
    services: Services, told: Iterable[ErasedSession | ErasedUser | ErasedProject]
) -> Counter[str]:
    """Do them again where something is there, and mark all, so that late data go too -> how many of each kind.

    What lies in the journal and what projects leave behind goes by way of the workers, as it does after any erasure.
    """
    db = services.db
    done: Counter[str] = Counter()
    until_us: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for each in told:
        if isinstance(each, ErasedSession):
            await _session(services, each)
        elif isinstance(each, ErasedUser):
            await erased_users.mark(db, each.project_id, each.user_id, each.until_us)
            until_us[each.project_id][each.user_id] = each.until_us
        elif not await _project(services, each):
            done["other projects of the same id, left alone"] += 1
            continue
        done[f"{each.kind}s"] += 1
    for project_id, users in until_us.items():
        await refusals.delete_of_users(db, project_id, users)
    await erased_users.delete_strays(db, since_ms=0)
    await erasing.erase_sessions_of_users(services)
    return done


async def _session(services: Services, told: ErasedSession) -> None:
    try:
        session = await services.replays.find(told.session_id, [told.project_id])
    except NotFound:
        session = new_session(told.project_id, told.session_id)
    await services.replays.delete(session)


async def _project(services: Services, told: ErasedProject) -> bool:
    """Not one that has the id by chance, since it was made after the database had been restored -> whether done."""
    there = await store.by_id(services.db, told.project_id)
    if there is None:
        await services.db.execute(MARK_PROJECT, told.project_id, told.project_key, services.clock())
    elif there.project_key == told.project_key:
        await services.projects.erase(there)
    else:
        return False
    return True


def _line(told: BaseModel) -> bytes:
    return orjson.dumps(told.model_dump()) + b"\n"
