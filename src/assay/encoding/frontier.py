"""A tree's root from its leaves as they come: only the roots of whole subtrees on the way are kept, one a level.

A frontier over any stretch of positions can be made apart from the others and its nodes be pushed into that of the whole tree, so
parts of a tree are built anywhere and joined in order. Same roots as `SetTree` and `SumTree`, which keep every level for paths.
"""

from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from assay.encoding.seals import depth_of

__all__ = ["Frontier", "Subtree"]

N = TypeVar("N")


class Subtree(NamedTuple, Generic[N]):
    """Root of a whole subtree of 2**level leaves."""

    level: int
    root: N


class Frontier(Generic[N]):
    """Subtrees over the positions from `first` on, joined as far as they go. `end` is the position that comes next."""

    def __init__(self, join: Callable[[N, N], N], first: int = 0) -> None:
        """`join` makes a parent of its left and right child."""
        self._join, self._first, self.end = join, first, first
        self._subtrees: list[Subtree[N]] = []

    @property
    def subtrees(self) -> tuple[Subtree[N], ...]:
        """What is kept, from left to right."""
        return tuple(self._subtrees)

    def push(self, node: N, level: int = 0) -> None:
        """The next leaf, or the root of the next subtree of this level. ValueError where none of that level can begin."""
        if self.end % (1 << level):
            raise ValueError(f"no subtree of level {level} begins at position {self.end}")
        self.end += 1 << level
        while self._subtrees and self._subtrees[-1].level == level and self.end % (2 << level) == 0:
            node = self._join(self._subtrees.pop().root, node)
            level += 1
        self._subtrees.append(Subtree(level, node))

    def extend(self, subtrees: Iterable[Subtree[N]]) -> None:
        """Everything that another frontier kept, which began where this one ends."""
        for level, root in subtrees:
            self.push(root, level)

    def root(self, padding: Callable[[int], N]) -> N:
        """Root of the tree; `padding` gives the node of a level that covers only absent leaves. ValueError for an empty tree.

        Only of a frontier that begins at 0.
        """
        depth, left = depth_of(self.end), list(self._subtrees)
        level, node = left.pop()
        while level < depth:
            is_right = bool(left) and left[-1].level == level
            node = self._join(left.pop().root, node) if is_right else self._join(node, padding(level))
            level += 1
        return node
