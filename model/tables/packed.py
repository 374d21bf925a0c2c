"""The facts of many scenarios in little room: of most, only what differs from one like it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

LIKE, DIFFERS = "like", "differs"

SMALL_SHARE = 0.1
"""A difference of at most this share of all facts is worth keeping as one; a scenario with more is kept whole."""

MOST_WHOLE = 20
"""Scenarios kept whole with which others are compared."""


def packed(scenarios: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the facts of each scenario: whole, or as the scenario it is like and where it differs.

    Examples
    --------
    >>> facts = {"years": 30, "plan": [{"budget": 1.0, "payers": {"nhs": 1.0}, "about": "hub " * 200}]}
    >>> twice = {**facts, "plan": [{**facts["plan"][0], "budget": 2.0}]}
    >>> packed({"a": facts, "b": twice})["b"]
    {'like': 'a', 'differs': {'plan/0/budget': 2.0}}
    """
    found: dict[str, dict[str, Any]] = {}
    whole: dict[str, Mapping[str, Any]] = {}
    for name, facts in scenarios.items():
        nearest = min((_as_like(one, _renamed(whole[one], name), facts) for one in whole), key=_size, default=None)
        if nearest and _size(nearest) <= SMALL_SHARE * _size(facts):
            found[name] = nearest
        else:
            found[name] = dict(facts)
            whole |= {name: facts} if len(whole) < MOST_WHOLE else {}
    return found


def unpacked(scenarios: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the whole facts of each scenario, as `packed` was given them.

    Raises
    ------
    KeyError, IndexError, TypeError, ValueError
        When they are not packed so.

    Examples
    --------
    >>> unpacked({"a": {"years": 30, "plan": [1, 2]}, "b": {"like": "a", "differs": {"plan/1": 3}}})["b"]
    {'years': 30, 'plan': [1, 3]}
    """
    found: dict[str, dict[str, Any]] = {}
    for name, facts in scenarios.items():
        found[name] = _changed(_renamed(found[facts[LIKE]], name), facts[DIFFERS]) if LIKE in facts else dict(facts)
    return found


def _renamed(facts: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the facts of a scenario as they would be under another name, which is no difference worth keeping."""
    return {**facts, "name": name} if "name" in facts else facts


def differences(one: Any, other: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Yield where another value differs from one, as keys and positions joined by ``/``, and what it has there.

    Examples
    --------
    >>> list(differences({"a": [1, 2], "b": {}}, {"a": [1, 3], "b": {"c": 1}}))
    [('a/1', 3), ('b', {'c': 1})]
    """
    pairs = list(_pairs(one, other))
    if pairs:
        for key, ours, theirs in pairs:
            yield from differences(ours, theirs, f"{at}/{key}" if at else key)
    elif type(one) is not type(other) or one != other:
        yield at, other


def _pairs(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield what two tables of the same keys, or lists of one length, have at each place; nothing of others."""
    if isinstance(one, dict) and isinstance(other, dict) and list(one) == list(other):
        if not any("/" in key for key in one):
            yield from ((key, one[key], other[key]) for key in one)
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        yield from ((str(k), *both) for k, both in enumerate(zip(one, other, strict=True)))


def _as_like(name: str, whole: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    return {LIKE: name, DIFFERS: dict(differences(whole, facts))}


def _size(value: Any) -> int:
    return len(json.dumps(value))


def _changed(value: Any, changes: Mapping[str, Any]) -> Any:
    for at, new in changes.items():
        value = _put(value, at.split("/"), new)
    return value


def _put(value: Any, keys: list[str], new: Any) -> Any:
    """Return a copy of a nest of tables and lists with something else in one place."""
    if not keys:
        return new
    key, *rest = keys
    if isinstance(value, list):
        return [_put(one, rest, new) if k == int(key) else one for k, one in enumerate(value)]
    return {**value, key: _put(value[key], rest, new)}
