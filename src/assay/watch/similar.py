"""Whether two prompts are nearly the same: Jaccard similarity of their character n-grams, and sketches that find candidates.

A text is normalised first (NFKC, case folded, everything but letters and digits as one space). Its sketch is a MinHash of
`BANDS` x `ROWS` values; texts that share a whole band are compared by their n-grams themselves. At a similarity of 0.8 a pair is
found with a chance of 0.985, at 0.9 of 0.9999.
"""

import unicodedata
import zlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from assay.encoding.hashing import keccak

__all__ = ["BANDS", "MAX_BYTES", "bands_of", "grams_of", "normal", "similarity"]

N = 5
BANDS, ROWS = 8, 4
MAX_BYTES = 1 << 14
"""Of a longer text only this much is looked at."""
SEED = b"assay watch similar prompts"
_PRIME = (1 << 31) - 1

Integers = npt.NDArray[np.int64]


def normal(text: bytes) -> str:
    """The text as it is compared: invalid bytes replaced, without case, marks of punctuation and runs of spaces."""
    folded = unicodedata.normalize("NFKC", text[:MAX_BYTES].decode("utf-8", "replace")).casefold()
    return " ".join("".join(char if char.isalnum() else " " for char in folded).split())


def grams_of(text: bytes) -> frozenset[str]:
    """All runs of `N` characters of the normalised text; the whole of a shorter one; none of an empty one."""
    plain = normal(text)
    return frozenset(plain[at : at + N] for at in range(max(len(plain) - N + 1, 1))) if plain else frozenset()


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard similarity of two sets of n-grams, from 0 to 1; 0 where both are empty."""
    union = len(one | other)
    return len(one & other) / union if union else 0.0


def bands_of(grams: frozenset[str]) -> tuple[int, ...]:
    """A key for each band; two texts that share one are candidates. Empty where there are no n-grams."""
    if not grams:
        return ()
    hashed = np.array([zlib.crc32(gram.encode("utf-8", "surrogatepass")) % _PRIME for gram in sorted(grams)], dtype=np.int64)
    factors, shifts = _permutations()
    sketch = ((hashed[:, None] * factors + shifts) % _PRIME).min(axis=0)
    return tuple(int.from_bytes(keccak(sketch[b * ROWS : (b + 1) * ROWS].tobytes())[:7], "big") for b in range(BANDS))


@lru_cache(maxsize=1)
def _permutations() -> tuple[Integers, Integers]:
    draw = np.random.default_rng(list(SEED))
    return draw.integers(1, _PRIME, BANDS * ROWS), draw.integers(0, _PRIME, BANDS * ROWS)
