"""Trees of texts: merging them in order of precedence, finding a place, making plain data.

Lives here: what is done with `reading.Node` without knowing a key. Must not live here: YAML, keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from trader.policy.reading import Children, Mark, Node, is_mapping

Path = tuple[str, ...]


def merged(below: Node, above: Node) -> Node:
    """`above` laid over `below`: mappings are joined key by key, anything else is replaced."""
    if not (is_mapping(below.value) and is_mapping(above.value)):
        return above
    children: Children = dict(below.value)
    for key, node in above.value.items():
        children[key] = merged(children[key], node) if key in children else node
    return Node(children, above.at, above.key_at)


def without(node: Node, paths: Collection[Path]) -> Node:
    """A copy that lacks the values at `paths` (none of them empty); what is not cut is shared."""
    if not is_mapping(node.value):
        return node
    whole = {path[0] for path in paths if len(path) == 1}
    deeper: dict[str, list[Path]] = {}
    for path in paths:
        if len(path) > 1 and path[0] not in whole:
            deeper.setdefault(path[0], []).append(path[1:])
    children: Children = {
        key: without(child, deeper[key]) if key in deeper else child
        for key, child in node.value.items()
        if key not in whole
    }
    return Node(children, node.at, node.key_at)


def plain(node: Node) -> Any:
    """The tree as dicts, lists and texts."""
    if isinstance(node.value, str):
        return node.value
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return {key: plain(child) for key, child in node.value.items()}


def find(node: Node, path: tuple[str | int, ...]) -> Node | None:
    """The node at `path` (keys and list indexes), or None."""
    here: Node = node
    for step in path:
        value = here.value
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return None
            here = value[step]
            continue
        if not is_mapping(value) or step not in value:
            return None
        here = value[step]
    return here


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node with the keys that lead to it (list items have the path of their list)."""
    yield path, node
    if isinstance(node.value, list):
        for item in node.value:
            yield from walk(item, path)
    elif is_mapping(node.value):
        for key, child in node.value.items():
            yield from walk(child, (*path, key))


def nested(path: Path, leaf: Node, at: Mark) -> Node:
    """A tree that holds only `leaf`, at `path`."""
    node = leaf
    for key in reversed(path):
        node.key_at = at
        node = Node({key: node}, at)
    return node
