"""How much work a category schema can make of one value, so that none is taken that could stall the service.

Schemas form a graph: in-place edges apply another schema to the same value (`allOf`, `$ref` …), child edges to a
member or item of it. From the root down, level by level, we count how often each schema is applied to the most
loaded value; a doubling at every level, which a few lines can hide, shows within a few steps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Any, Final
from urllib.parse import unquote

MAX_DEPTH: Final = 100
#: schemas applied to one value; a pattern counts for PATTERN_COST
MAX_COST: Final = 4_000
PATTERN_COST: Final = 20
#: of this count itself
MAX_STEPS: Final = 1_000_000

_ONE_HERE: Final = ("not", "if", "then", "else")
_MANY_HERE: Final = ("allOf", "anyOf", "oneOf")
_ONE_BELOW: Final = ("additionalProperties", "propertyNames", "unevaluatedProperties")
_ONE_ITEM: Final = ("items", "contains", "unevaluatedItems")
_NAMED_DEFS: Final = ("$defs", "definitions")
_REFS: Final = ("$ref", "$dynamicRef")
_2020_12: Final = "https://json-schema.org/draft/2020-12/schema"
_ANY: Final = "\0any"

Loads = dict[int, int]


class TooCostly(ValueError):
    """The schema is not taken; the message says why."""


def cost_of(schema: dict[str, Any]) -> int:
    """The most work that one value can be. Raises TooCostly, also for references out of the document."""
    return _Graph(schema).cost()


class _Graph:
    """The schemas of one document by their Python id, with what each applies where."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._anchors: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._here: dict[int, list[tuple[int, int]]] = {}  # in-place: (schema, weight)
        self._members: dict[int, list[tuple[str, int]]] = {}  # child: (name or any, schema)
        self._items: dict[int, list[tuple[str, int]]] = {}
        self._own: Loads = {}
        self._find_anchors(root, 0)
        waiting = [(root, root)]
        while waiting:
            schema, resource = waiting.pop()
            if id(schema) not in self._here:
                waiting += self._add(schema, schema if "$id" in schema else resource)
        self._order = self._sorted()
        self._rank = {place: rank for rank, place in enumerate(self._order)}
        self._steps = 0

    def _find_anchors(self, value: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise TooCostly(f"nested deeper than {MAX_DEPTH}")
        if isinstance(value, dict):
            for name in ("$anchor", "$dynamicAnchor"):
                if isinstance(value.get(name), str):
                    self._anchors[value[name]].append(value)
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            self._find_anchors(each, depth + 1)

    def _add(self, schema: dict[str, Any], resource: dict[str, Any]) -> list[tuple[Any, Any]]:
        """Note one schema -> those that it leads to."""
        told = schema.get("$schema")
        if isinstance(told, str) and told.rstrip("#") != _2020_12:
            raise TooCostly("$schema must be that of 2020-12")
        here = [*_of(schema, _ONE_HERE), *_of_lists(schema, _MANY_HERE)]
        here += [each for _, each in _of_maps(schema, ("dependentSchemas",))]
        here += [
            target for name in _REFS if name in schema for target in self._targets(schema[name], resource)
        ]
        members = [*_of_maps(schema, ("properties",))]
        members += [(_ANY, each) for _, each in _of_maps(schema, ("patternProperties",))]
        members += [(_ANY, each) for each in _of(schema, _ONE_BELOW)]
        items = [(_ANY, each) for each in _of(schema, _ONE_ITEM)]
        items += [(f"{place}", each) for place, each in enumerate(_of_lists(schema, ("prefixItems",)))]
        unused = [each for _, each in _of_maps(schema, _NAMED_DEFS)]
        weight = 2 if "unevaluatedProperties" in schema or "unevaluatedItems" in schema else 1
        place = id(schema)
        self._here[place] = [(id(each), weight) for each in here]
        self._members[place] = [(name, id(each)) for name, each in members]
        self._items[place] = [(name, id(each)) for name, each in items]
        patterns = schema.get("patternProperties")
        self._own[place] = 1 + PATTERN_COST * (
            ("pattern" in schema) + (len(patterns) if isinstance(patterns, dict) else 0)
        )
        below = [each for _, each in members + items]
        return [(each, resource) for each in here + below + unused]

    def _targets(self, ref: Any, resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if not isinstance(ref, str):
            return
        if not ref.startswith("#"):
            raise TooCostly("$ref must lead within the document: #…")
        pointer = unquote(ref[1:])
        if pointer and not pointer.startswith("/"):
            yield from self._anchors[pointer]
            return
        for root in {id(each): each for each in (resource, self._root)}.values():
            found = _at(root, pointer)
            if isinstance(found, dict):
                yield found

    def _sorted(self) -> list[int]:
        """Schemas so that in-place edges point forward. Raises TooCostly for a circle of them."""
        into: defaultdict[int, int] = defaultdict(int)
        for edges in self._here.values():
            for target, _ in edges:
                into[target] += 1
        ready = [place for place in self._here if not into[place]]
        order: list[int] = []
        while ready:
            order.append(place := ready.pop())
            for target, _ in self._here[place]:
                into[target] -= 1
                if not into[target]:
                    ready.append(target)
        if len(order) < len(self._here):
            raise TooCostly("a $ref leads back to itself without end")
        return order

    def cost(self) -> int:
        """The heaviest level."""
        most, before = 0, None
        loads = self._spread({id(self._root): 1})
        for _ in range(MAX_DEPTH + 1):
            cost = sum(count * self._own[place] for place, count in loads.items())
            if cost > MAX_COST:
                raise TooCostly("too costly to check: its parts apply too often to one value")
            most = max(most, cost)
            below: Loads = {}
            for start in (*_starts(loads, self._members), *_starts(loads, self._items)):
                below = _most(below, self._spread(start))
            if not below or below == before:
                break
            before, loads = below, below
        return most

    def _spread(self, start: Loads) -> Loads:
        """Loads with those that follow in place."""
        loads = dict(start)
        waiting = [self._rank[place] for place in start]
        heapify(waiting)
        while waiting:
            place = self._order[heappop(waiting)]
            self._steps += 1 + len(self._here[place])
            if loads[place] > MAX_COST:
                break  # enough to refuse
            if self._steps > MAX_STEPS:
                raise TooCostly("too intricate")
            for target, weight in self._here[place]:
                if target not in loads:
                    heappush(waiting, self._rank[target])
                loads[target] = loads.get(target, 0) + weight * loads[place]
        return loads


def _starts(loads: Loads, edges: dict[int, list[tuple[str, int]]]) -> Iterator[Loads]:
    """What applies to a child, by its name: what applies to every child, and what to this one."""
    by_name: defaultdict[str, Loads] = defaultdict(dict)
    for place, count in loads.items():
        for name, target in edges[place]:
            by_name[name][target] = by_name[name].get(target, 0) + count
    every = by_name.pop(_ANY, {})
    if every:
        yield every
    for found in by_name.values():
        yield {place: every.get(place, 0) + found.get(place, 0) for place in every | found}


def _most(one: Loads, other: Loads) -> Loads:
    if not one or not other:
        return one or other
    return {place: max(one.get(place, 0), other.get(place, 0)) for place in one | other}


def _at(value: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _of(schema: dict[str, Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [schema[name] for name in names if isinstance(schema.get(name), dict)]


def _of_lists(schema: dict[str, Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    lists = (schema[name] for name in names if isinstance(schema.get(name), list))
    return [each for found in lists for each in found if isinstance(each, dict)]


def _of_maps(schema: dict[str, Any], names: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
    maps = (schema[name] for name in names if isinstance(schema.get(name), dict))
    return [(name, each) for found in maps for name, each in found.items() if isinstance(each, dict)]
