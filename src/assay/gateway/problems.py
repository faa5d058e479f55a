"""Every way in which the gateway says no, by slug. Each becomes one application/problem+json body."""

from typing import NamedTuple


class Entry(NamedTuple):
    """Status code and title of a problem; the title says what it is, whatever the detail."""

    status: int
    title: str


CATALOGUE = {
    "malformed": Entry(422, "The request is not what the schema says"),
    "not-found": Entry(404, "There is nothing at this path"),
    "wrong-method": Entry(405, "This path takes another method"),
    "too-slow": Entry(408, "The body did not arrive in time"),
    "too-large": Entry(413, "A body or a text is larger than allowed"),
    "not-admitted": Entry(403, "The policy of this gateway does not admit this round"),
    "unknown-round": Entry(404, "The chain knows no such round"),
    "not-enrolled": Entry(403, "The version is not enrolled in this round, or is not served here"),
    "not-finalized": Entry(409, "The enrolment is not final yet"),
    "wrong-signature": Entry(401, "The signature is not that of the round's operator"),
    "window-over": Entry(410, "No new answer is given outside the windows of the round"),
    "bad-position": Entry(422, "The set has no such position"),
    "other-prompt": Entry(409, "This position was answered for another prompt"),
    "unknown-answer": Entry(409, "This gateway gave no such answer"),
    "unacknowledged": Entry(429, "Too many answers wait for their acknowledgement"),
    "busy": Entry(503, "The gateway has too much to do"),
    "silent": Entry(503, "The model gave nothing"),
    "chain-unreachable": Entry(503, "The gateway cannot read the chain now"),
    "internal": Entry(500, "The gateway failed"),
}


class Problem(Exception):
    """A refusal. `slug` is a key of the catalogue, `retry_after` seconds after which the same request may work."""

    def __init__(self, slug: str, detail: str, *, status: int | None = None, retry_after: int | None = None) -> None:
        super().__init__(f"{slug}: {detail}")
        self.slug = slug
        self.detail = detail
        self.status = status or CATALOGUE[slug].status
        self.retry_after = retry_after

    def body(self) -> dict[str, object]:
        """The problem as RFC 9457 writes it."""
        return {
            "type": f"urn:assay:{self.slug}",
            "title": CATALOGUE[self.slug].title,
            "status": self.status,
            "detail": self.detail,
        }

    def headers(self) -> dict[str, str]:
        """Headers that belong to it."""
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
