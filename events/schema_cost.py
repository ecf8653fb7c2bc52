"""How much work a category schema can make of one value, so that none is taken that could stall the service.

Schemas form a graph: in-place edges apply another schema to the same value (`allOf`, `$ref` …), child edges to a
member or item of it. From the root down, level by level, we count how often each schema is applied to the most
loaded value; a doubling at every level, which a few lines can hide, shows within a few steps. What one application
costs depends on its keywords: the weights below were measured, 1 is some 15 ns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

MAX_DEPTH: Final = 100
#: of the most loaded value
MAX_COST: Final = 4_000
#: in all of a schema, since compiling them takes time and memory
MAX_PATTERNS: Final = 100
#: of this count itself
MAX_STEPS: Final = 1_000_000

#: a pattern's, and for every 8 characters that it reads
_PATTERN: Final = 20
_PATTERN_TEXT: Final = 3
#: numbers are compared exactly, whatever their size
_WEIGHTS: Final = {
    "pattern": _PATTERN,
    "minimum": 100,
    "maximum": 100,
    "exclusiveMinimum": 100,
    "exclusiveMaximum": 100,
    "multipleOf": 300,
    "uniqueItems": 200,
}
#: below this, `multipleOf` divides into numbers of hundreds of digits
_LEAST_DIVISOR: Final = 1e-12
#: for each of an enum's values, tried one by one; texts, truth values and null are looked up
_TRIED: Final = {float: 180, int: 35, dict: 35, list: 35}

_ONE_HERE: Final = ("not", "if", "then", "else")
_MANY_HERE: Final = ("allOf", "anyOf", "oneOf")
_ONE_BELOW: Final = ("additionalProperties", "propertyNames", "unevaluatedProperties")
_ONE_ITEM: Final = ("items", "contains", "unevaluatedItems")
_NAMED_DEFS: Final = ("$defs", "definitions")
_REFS: Final = ("$ref", "$dynamicRef")
_2020_12: Final = "https://json-schema.org/draft/2020-12/schema"
_ANY: Final = "\0any"

Loads = dict[int, int]


class Cost(NamedTuple):
    """The most work that one value can be, and every 8 characters of one text; the most schemas that judge a value."""

    value: int
    text: int
    schemas: int


class TooCostly(ValueError):
    """The schema is not taken; the message says why."""


def cost_of(schema: dict[str, Any]) -> Cost:
    """What checking by this schema costs. Raises TooCostly, also for references out of the document."""
    return _Graph(schema).cost()


class _Graph:
    """The schemas of one document by their Python id, with what each applies where."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._anchors: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._here: dict[int, list[tuple[int, int]]] = {}  # in-place: (schema, weight)
        self._members: dict[int, list[tuple[str, int]]] = {}  # child: (name or any, schema)
        self._items: dict[int, list[tuple[str, int]]] = {}
        self._own: dict[int, Cost] = {}
        self._patterns = 0
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
        patterns = ("pattern" in schema) + _count(schema, "patternProperties")
        self._own[place] = Cost(_weight(schema), 2 + _PATTERN_TEXT * patterns, 1)
        self._patterns += patterns
        if self._patterns > MAX_PATTERNS:
            raise TooCostly(f"more than {MAX_PATTERNS} patterns")
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

    def cost(self) -> Cost:
        """That of the most loaded value and text."""
        loads = self._spread({id(self._root): 1})
        most = self._work(loads)
        for _ in range(MAX_DEPTH):
            below: Loads = {}
            for start in (*_starts(loads, self._members), *_starts(loads, self._items)):
                child = self._spread(start)
                most = Cost(*map(max, most, self._work(child)))
                for place, count in child.items():
                    below[place] = max(below.get(place, 0), count)
            if not below or below == loads:
                break
            loads = below
        return most

    def _work(self, loads: Loads) -> Cost:
        """Of one value to which schemas apply so often. Raises TooCostly."""
        cost = Cost(*(sum(count * self._own[at][part] for at, count in loads.items()) for part in range(3)))
        if cost.value > MAX_COST:
            raise TooCostly("too costly to check: its parts apply too often to one value")
        return cost

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


def _weight(schema: dict[str, Any]) -> int:
    """What applying this schema once costs, without those that it leads to. Raises TooCostly."""
    divisor = schema.get("multipleOf")
    if isinstance(divisor, (int, float)) and divisor < _LEAST_DIVISOR:
        raise TooCostly(f"multipleOf must be at least {_LEAST_DIVISOR}")
    weight = 1 + sum(cost for name, cost in _WEIGHTS.items() if name in schema)
    weight += _PATTERN * _count(schema, "patternProperties")
    weight += 2 * (_count(schema, "dependentRequired") + _count(schema, "dependentSchemas"))
    tried = schema.get("enum")
    return weight + (sum(_TRIED.get(type(each), 0) for each in tried) if isinstance(tried, list) else 0)


def _count(schema: dict[str, Any], name: str) -> int:
    value = schema.get(name)
    return len(value) if isinstance(value, dict) else 0


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
