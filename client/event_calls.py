"""Requests to the event service: one place for credentials, retries and errors. Source: spec/event-service.md 2, 8."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import httpx

#: further answers that are not final: every 3xx (whoever stands in between) and 5xx
RETRIED: Final = frozenset({408, 429})


class EventServiceError(Exception):
    """The service refused; `status` is 0 when no answer came."""

    def __init__(
        self, status: int, code: str, message: str, details: list[dict[str, Any]] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details or []


class Later(EventServiceError):
    """Not now: the same again after `pause_s`, if the service named one."""

    def __init__(self, status: int, code: str, message: str, pause_s: float | None = None) -> None:
        super().__init__(status, code, message)
        self.pause_s = pause_s


class Pauses:
    """Growing delays with some randomness; `Retry-After` counts when it is longer."""

    def __init__(self, first_s: float, last_s: float) -> None:
        self._first_s = self._next_s = first_s
        self._last_s = last_s

    def after(self, problem: Later) -> float:
        """How long to wait now."""
        wait_s = self._next_s * random.uniform(0.5, 1)
        self._next_s = min(self._next_s * 2, self._last_s)
        return max(wait_s, min(problem.pause_s or 0, self._last_s))

    def reset(self) -> None:
        """It went well."""
        self._next_s = self._first_s


class EventCalls:
    """One try each; thread-safe."""

    def __init__(
        self,
        base_url: str,
        project_key: str | None,
        api_key: str | None,
        *,
        timeout_s: float,
        trust_env: bool,
    ) -> None:
        self._http = httpx.Client(base_url=base_url.rstrip("/"), timeout=timeout_s, trust_env=trust_env)
        self._reading = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._sending = {"X-Project-Key": project_key} if project_key else self._reading

    def send(self, events: bytes) -> tuple[int, Any]:
        """Post JSON events -> status below 300, or 422 of a list, and the answer. Raises Later, EventServiceError."""
        headers = {**self._sending, "Content-Type": "application/json"}
        answer = self._ask("POST", "/api/v1/events", headers=headers, content=events)
        value = _json(answer)
        if answer.is_success or (
            answer.status_code == 422 and isinstance(value, dict) and "results" in value
        ):
            return answer.status_code, value
        raise error_of(answer)

    def read(self, method: str, path: str, **more: Any) -> Any:
        """One reading or managing request. Raises Later, EventServiceError."""
        answer = self._ask(method, path, headers=self._reading, **more)
        if not answer.is_success:
            raise error_of(answer)
        return _json(answer) if answer.content else None

    def pages(
        self, path: str, member: str, filters: dict[str, Any], retried: Callable[[Callable[[], Any]], Any]
    ) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        given = {name: value for name, value in filters.items() if value is not None}
        while True:
            page = retried(partial(self.read, "GET", path, params=dict(given)))
            yield from page[member]
            if page["next_cursor"] is None:
                return
            given["cursor"] = page["next_cursor"]

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **more)
        except httpx.HTTPError as problem:
            raise Later(0, "no_answer", type(problem).__name__) from problem
        if answer.is_redirect or answer.status_code in RETRIED or answer.status_code >= 500:
            problem_seen = error_of(answer)
            raise Later(
                answer.status_code,
                problem_seen.code,
                problem_seen.message,
                _seconds(answer.headers.get("retry-after")),
            )
        return answer


def error_of(answer: httpx.Response) -> EventServiceError:
    """A refusal in the service's own shape, or whatever stood in between."""
    try:
        error = answer.json()["error"]
        return EventServiceError(answer.status_code, error["code"], error["message"], error.get("details"))
    except (ValueError, KeyError, TypeError):
        return EventServiceError(answer.status_code, "no_answer_of_the_service", answer.reason_phrase)


def refusals_of(answer: Any, count: int) -> list[EventServiceError | None]:
    """Per event of a list, why it was refused, None if it was taken. Raises Later if that is not what it tells."""
    try:
        errors = [result.get("error") for result in answer["results"]]
        if len(errors) != count:
            raise ValueError
        return [
            None
            if error is None
            else EventServiceError(422, error["code"], error["message"], error.get("details"))
            for error in errors
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Later(200, "no_answer_of_the_service", "not the results of a list") from None


def _json(answer: httpx.Response) -> Any:
    """An answer that is not JSON did not come from the service: try again. Raises Later."""
    try:
        return answer.json()
    except ValueError:
        raise Later(answer.status_code, "no_answer_of_the_service", "not JSON") from None


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
