"""Why a remote model gave no answer, and what its provider does about it."""


class Failed(Exception):
    """No answer. `what` is a short name for logs; neither it nor `remedy` ever holds anything that the other side wrote.

    `again` says whether the same request may work in a moment; `after` is how many seconds the other side asked us to wait.
    """

    def __init__(self, what: str, remedy: str, *, again: bool = False, after: float = 0.0) -> None:
        super().__init__(what)
        self.what, self.remedy, self.again, self.after = what, remedy, again, after


def by_status(status: int, after: float = 0.0) -> Failed:
    """What an HTTP status other than 200 means where the body says nothing better."""
    if status in (401, 403):
        return Failed(f"status-{status}", "the endpoint refuses our credentials: check the file that holds them")
    if status == 404:
        return Failed("status-404", "check the endpoint's address and path")
    if 300 <= status < 400:
        return Failed(f"redirected-{status}", "redirects are not followed: give the address that it leads to")
    if status == 429:
        return Failed("rate-limited", "set --rate-limit below what the endpoint allows", again=True, after=after)
    if status in (408, 425) or status >= 500:
        return Failed(f"status-{status}", "the endpoint is in trouble: try again later", again=True, after=after)
    return Failed(f"status-{status}", "the endpoint does not take this request: compare it with the endpoint's manual")
