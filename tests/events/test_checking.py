"""Schemas that would cost too much are not taken, and what is taken stays within bounds whatever is sent."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from events.checking import Checker, checker_of, parse_schema
from playhead.errors import Unprocessable


def checker(schema: Any) -> Checker:
    body = orjson.dumps(schema)
    return checker_of(parse_schema(body, schema))


def items(**schema: Any) -> dict[str, Any]:
    """Of every item of the member `a`."""
    return {"properties": {"a": {"items": schema}}}


@pytest.mark.parametrize(
    "schema",
    [
        items(enum=[{"a": n} for n in range(200)]),
        items(enum=[n + 0.5 for n in range(50)]),
        items(enum=list(range(200))),
        items(dependentRequired={f"p{n}": ["x"] for n in range(3000)}),
        items(dependentSchemas={f"p{n}": True for n in range(3000)}),
        items(allOf=[{"minimum": n} for n in range(100)]),
        items(multipleOf=5e-324),
        {"properties": {f"p{n}": {"pattern": f"^{n}"} for n in range(101)}},
        {"patternProperties": {f"^{n}": {} for n in range(101)}},
    ],
    ids=lambda schema: json.dumps(schema)[:60],
)
def test_too_costly(schema: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable) as caught:
        checker(schema)
    assert caught.value.code == "invalid_schema"


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"properties": {f"p{n}": {"type": "string"} for n in range(7000)}}, {"p6999": "x"}, {"p6999": 5}),
        ({"properties": {f"p{n}": {"pattern": "^x"} for n in range(100)}}, {"p99": "x"}, {"p99": "y"}),
        (items(enum=[f"v{n}" for n in range(10_000)]), {"a": ["v9999"]}, {"a": ["w"]}),
        (items(enum=[200, 404, 500, None]), {"a": [404, None]}, {"a": [405]}),
        (items(multipleOf=0.01, minimum=0, exclusiveMaximum=1000), {"a": [9.99]}, {"a": [9.999]}),
        (items(uniqueItems=True), {"a": [[1, 2]]}, {"a": [[1, 1]]}),
    ],
    ids=["properties", "patterns", "texts", "numbers", "limits", "unique"],
)
def test_usual_ones_are_taken(schema: dict[str, Any], good: dict[str, Any], bad: dict[str, Any]) -> None:
    assert checker(schema).problems(good, 1000) == []
    assert [problem.code for problem in checker(schema).problems(bad, 1000)] == ["schema_violation"]


@pytest.mark.parametrize("pattern", ["^(a+)+$", r"^(a|a)*\1$", "^(?=(a+)+b).*$", r"^(\w+\s?)*$"])
def test_patterns_end(pattern: str) -> None:
    found = checker({"properties": {"a": {"pattern": pattern}}}).problems({"a": "a" * 50_000 + "!"}, 1000)
    assert {problem.code for problem in found} <= {"schema_violation"}


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        (items(allOf=[{"minLength": n} for n in range(3900)]), {"a": ["\u00fc" * 400_000]}),
        (items(allOf=[{"type": "integer"}] * 3900), {"a": [1] * 20_000}),
        (items(uniqueItems=True), {"a": [[0.5] * 300_000]}),
    ],
    ids=["text", "values", "unique"],
)
def test_an_event_that_would_take_too_long_is_told_so(schema: dict[str, Any], data: dict[str, Any]) -> None:
    (problem,) = checker(schema).problems(data, 1000)
    assert (problem.field, problem.message) == ("data", "too large to be checked by this schema")


@pytest.mark.parametrize(
    ("name", "count", "told"),
    [("a", 900, 900), ("a", 20_000, 1), ("k" * 200_000, 900, 1)],
    ids=["few", "many", "long"],
)
def test_only_what_may_have_few_problems_is_told_them_all(name: str, count: int, told: int) -> None:
    """Else one event, each of its problems with its whole path, could fill the memory."""
    found = checker({"additionalProperties": {"items": {"type": "string"}}}).problems(
        {name: [1] * count}, 1000
    )
    assert len(found) == told
    assert all(len(problem.field) <= 300 for problem in found)
