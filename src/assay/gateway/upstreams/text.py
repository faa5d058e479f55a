"""What a model returned, as the bytes of a response."""

import structlog

log = structlog.get_logger()


def as_bytes(result: object, limit: int) -> bytes | None:
    """A str as UTF-8 and bytes as they are; None for None, for anything else, for lone surrogates, and above `limit` bytes."""
    if isinstance(result, str):
        try:
            result = result.encode()
        except UnicodeEncodeError:
            log.warning("upstream returned no text", type="str with lone surrogates")
            return None
    if result is None:
        return None
    if not isinstance(result, bytes):
        log.warning("upstream returned no text", type=type(result).__name__)
        return None
    if len(result) > limit:
        log.warning("upstream returned too much", bytes=len(result), limit=limit)
        return None
    return result
