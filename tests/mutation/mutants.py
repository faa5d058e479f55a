"""Every small change of a Solidity source: one token of one line replaced, or one statement taken out."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

# Yul builtins of the same number of arguments, and what takes their place.
_BUILTINS = {
    "add": ("sub",), "sub": ("add",), "mul": ("add",), "div": ("mul",), "and": ("or",), "or": ("and",), "xor": ("or",),
    "eq": ("xor",), "lt": ("gt",), "gt": ("lt",), "slt": ("lt",), "shl": ("shr",), "shr": ("shl",), "iszero": ("not",),
    "not": ("iszero",), "byte": ("shr",), "mload": ("not",), "mstore8": ("mstore",),
}  # fmt: skip
_OPERATORS = {
    "<": ("<=", ">"), ">": (">=", "<"), "<=": ("<",), ">=": (">",), "==": ("!=",), "!=": ("==",), "+": ("-",), "-": ("+",),
    "*": ("+",), "/": ("*",), "%": ("/",), "<<": (">>",), ">>": ("<<",), "|": ("&",), "&": ("|",), "&&": ("||",), "||": ("&&",),
    "++": ("--",), "--": ("++",), "|=": ("=",), "+=": ("=", "-="), "-=": ("=", "+="), "*=": ("=",), "%=": ("=",), "<<=": ("=",),
    ">>=": ("=",), "?": (),
}  # fmt: skip
_TOKEN = re.compile(
    r"0x[0-9a-fA-F_]+|\d[\d_]*|[A-Za-z_]\w*"
    r"|<<=|>>=|:=|=>|->|<<|>>|[<>=!+\-*/%|&]=|\+\+|--|&&|\|\||[<>+\-*/%|&]"
)
_HEAD = re.compile(
    r"\s*(pragma|import|library|contract|function|interface|using|error|event|switch|external|private|returns|/?\*|//)\b"
)
_STATEMENT = re.compile(
    r"\s*(?:if [^{]*)?(?:[\w, ]+ :?[|+\-*%<>]*=(?!=)[^=].*|(mstore8?|calldatacopy)\(.*\)|leave|break|continue|return .*);?\s*$"
)


class Mutant(NamedTuple):
    """One changed line: `other` in place of what is from `start` to `end` in the line of this number, which counts from 1.

    `place` is file and functions, outermost first, and from the second line on of those alike in a function, which one it is.
    """

    file: str
    place: str
    number: int
    line: str
    start: int
    end: int
    other: str

    def changed(self) -> str:
        """The line with the change."""
        return (self.line[: self.start] + self.other + self.line[self.end :]).rstrip()

    def marked(self) -> str:
        """The line without its margins, what will be changed between guillemets."""
        return f"{self.line[: self.start]}«{self.line[self.start : self.end]}»{self.line[self.end :]}".strip()

    def applied(self, source: str) -> str:
        """The whole source with the change."""
        lines = source.split("\n")
        lines[self.number - 1] = self.changed()
        return "\n".join(lines)


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """All mutants of a file, in the order of its text, no two alike."""
    seen = set()
    functions: list[tuple[int, str]] = []
    alike: Counter[tuple[str, str]] = Counter()
    for number, line in enumerate(source.split("\n"), 1):
        code = line.split(" //")[0]
        functions = _enclosing(functions, line)
        place = ".".join([file.removesuffix(".sol"), *(name for _, name in functions)])
        alike[place, code.strip()] += 1
        place += f"#{alike[place, code.strip()]}" if alike[place, code.strip()] > 1 else ""
        if _HEAD.match(line) or line.lstrip().startswith(("//", "///", "*")) or '"' in code:
            continue
        for start, end, other in (*_replaced(code), *_removed(code)):
            mutant = Mutant(file, place, number, code, start, end, other)
            if mutant.changed() != code and (number, mutant.changed()) not in seen:
                seen.add((number, mutant.changed()))
                yield mutant


def _enclosing(functions: list[tuple[int, str]], line: str) -> list[tuple[int, str]]:
    """The functions around a line, outermost first, each with its indentation; from those around the line before it."""
    indentation = len(line) - len(line.lstrip())
    if line.strip():
        functions = [found for found in functions if found[0] < indentation or line[indentation] in "(){}"]
    head = re.match(r"\s*function (\w+)", line)
    return [*functions, (indentation, head.group(1))] if head else functions


def _replaced(code: str) -> Iterator[tuple[int, int, str]]:
    for match in _TOKEN.finditer(code):
        for other in _others(match.group(), code, match.end()):
            yield match.start(), match.end(), other


def _others(token: str, code: str, end: int) -> tuple[str, ...]:
    if token[0].isdigit():
        base = 16 if token.startswith("0x") else 10
        value = int(token.replace("_", ""), base)
        values = {value + 1, max(value - 1, 0), value ^ (1 << max(value.bit_length() - 2, 0))} - {value}
        return tuple(hex(other) if base == 16 else str(other) for other in sorted(values))
    if token in _BUILTINS:
        return _BUILTINS[token] if code[end : end + 1] == "(" else ()
    return _OPERATORS.get(token, ())


def _removed(code: str) -> Iterator[tuple[int, int, str]]:
    if _STATEMENT.match(code) and not re.match(r"\s*(let|uint256|bool)\b", code):
        yield len(code) - len(code.lstrip()), len(code), ""
    for inner in re.finditer(r"(?<=\{ )(leave|break|continue)(?= \})", code):
        yield inner.start(), inner.end(), ""
