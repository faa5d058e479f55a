"""Every small change of a Solidity source: one token of one line replaced, or one statement taken out."""

import re
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
    """One changed line. `number` counts from 1."""

    file: str
    number: int
    before: str
    after: str

    def applied(self, source: str) -> str:
        """The whole source with the change."""
        lines = source.split("\n")
        lines[self.number - 1] = self.after
        return "\n".join(lines)


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """All mutants of a file, in the order of its text, no two alike."""
    seen = set()
    for number, line in enumerate(source.split("\n"), 1):
        code = line.split(" //")[0]
        if _HEAD.match(line) or line.lstrip().startswith(("//", "///", "*")) or '"' in code:
            continue
        for after in (*_replaced(code), *_removed(code)):
            if after != code and (number, after) not in seen:
                seen.add((number, after))
                yield Mutant(file, number, code, after)


def _replaced(code: str) -> Iterator[str]:
    for match in _TOKEN.finditer(code):
        for other in _others(match.group(), code, match.end()):
            yield code[: match.start()] + other + code[match.end() :]


def _others(token: str, code: str, end: int) -> tuple[str, ...]:
    if token[0].isdigit():
        base = 16 if token.startswith("0x") else 10
        value = int(token.replace("_", ""), base)
        values = {value + 1, max(value - 1, 0), value ^ (1 << max(value.bit_length() - 2, 0))} - {value}
        return tuple(hex(other) if base == 16 else str(other) for other in sorted(values))
    if token in _BUILTINS:
        return _BUILTINS[token] if code[end : end + 1] == "(" else ()
    return _OPERATORS.get(token, ())


def _removed(code: str) -> Iterator[str]:
    if _STATEMENT.match(code) and not re.match(r"\s*(let|uint256|bool)\b", code):
        yield ""
    for inner in re.finditer(r"\{ (leave|break|continue) \}", code):
        yield code[: inner.start()] + "{ }" + code[inner.end() :]
