"""What many sessions have in common: crashes, tap rages and other findings, grouped. Source: interface section 5."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from http_service import issue_models
from http_service.auth import Access
from http_service.operations import Call, Operation, Reply, json_answer
from http_service.scoping import one_project
from sessions import issue_groups
from sessions.issue_groups import IssueGroup


async def list_issues(call: Call) -> Response:
    """Groups of a project, the one seen last first."""
    query = call.query(issue_models.IssueQuery)
    project = await one_project(call.services.projects, call.caller, query.project)
    page = await issue_groups.page(
        call.services.db,
        project.project_id,
        type=query.type,
        sort=query.sort,
        limit=query.limit,
        cursor=query.cursor,
    )
    shown = [_shown(each, project.project_key) for each in page.issues]
    return json_answer(issue_models.IssueGroupsOut(issues=shown, next_cursor=page.next_cursor))


def _shown(group: IssueGroup, project_key: str) -> issue_models.IssueGroupOut:
    return issue_models.IssueGroupOut(
        fingerprint=group.fingerprint.hex(),
        project=project_key,
        type=group.type,
        title=group.title,
        count=group.count,
        sessions=group.sessions,
        users=group.users,
        first_seen_ms=group.first_ms,
        last_seen_ms=group.last_ms,
        replays=[
            issue_models.SampleOut(
                session_id=str(each.session_id), started_ms=each.started_ms, at_ms=each.seen_ms
            )
            for each in group.replays
        ],
    )


_ISSUE: Final = {
    "fingerprint": "5f0c9a1b2d3e4f60718293a4b5c6d7e8",
    "project": "shop-ios",
    "type": "crash",
    "title": "NSRangeException: index 3 beyond bounds [0 .. 2]",
    "count": 12,
    "sessions": 11,
    "users": 9,
    "first_seen_ms": 1_767_225_600_000,
    "last_seen_ms": 1_767_312_000_000,
    "replays": [
        {
            "session_id": "3645366763814944769",
            "started_ms": 1_767_311_400_000,
            "at_ms": 1_767_312_000_000,
        }
    ],
}

OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/issues",
        "List issues: crashes, tap rages and other findings, grouped over sessions",
        "issues",
        Access.READ,
        (
            Reply(
                200,
                "one page",
                issue_models.IssueGroupsOut,
                example={"issues": [_ISSUE], "next_cursor": None},
            ),
        ),
        handle=list_issues,
        query=issue_models.IssueQuery,
        description="Of recorded sessions; a session's findings appear when it has ended. With the admin key `project` "
        "must be given.",
        refusals=(404, 422, 503),
    ),
)
