"""Everything that Assay raises on purpose.

AssayError
├── Fatal                 the operator has to change something
│   ├── BadInput          a file, an argument or a setting; names file and line where there is one
│   ├── BadKey            no such keystore, wrong password, wrong key for this job
│   ├── WrongChain        another chain, other contracts or other code than expected
│   ├── Refused           the other side, or our own policy, said no, with its reason
│   ├── Reverted          the chain would refuse this transaction
│   ├── NoFunds           money, allowance or gas is missing
│   ├── TooLate           a window was missed
│   └── Tampered          bytes are not what their digest, signature or commitment says
├── Retry                 the same call may work in a moment
│   └── Unreachable       a node, a gateway or a store did not answer in time
└── NotYet                the chain is not there yet; says when it will be

Every error has a message (what happened) and a remedy (what to do next). Neither ever holds a secret. A command that it ends has
its exit code: 1 is a no (or, of a check, a fault), 2 says that nothing could be told or tried (wrong words, a bad file, the
wrong chain, nobody answers), 3 that bytes were tampered with.
"""

__all__ = [
    "AssayError",
    "BadInput",
    "BadKey",
    "Fatal",
    "NoFunds",
    "NotYet",
    "Refused",
    "Retry",
    "Reverted",
    "Tampered",
    "TooLate",
    "Unreachable",
    "WrongChain",
]


class AssayError(Exception):
    """Base of all errors that are raised on purpose.

    `message` says what happened, `remedy` what to do next.
    """

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class Fatal(AssayError):
    """Trying again changes nothing: the operator has to act."""


class BadInput(Fatal):
    """A file, an argument or a setting cannot be used. `where` is 'file:line' or the name of the setting."""

    exit_code = 2

    def __init__(self, message: str, remedy: str = "", *, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message, remedy)
        self.where = where


class BadKey(Fatal):
    """A keystore is missing or does not open, or holds another key than the one needed."""


class WrongChain(Fatal):
    """The node serves another chain, or other code stands at the contracts' addresses."""

    exit_code = 2


class Refused(Fatal):
    """The other side, or our own policy, said no and gave a reason."""


class Reverted(Fatal):
    """The chain would refuse this transaction. `error` is the custom error with its arguments, decoded."""

    def __init__(self, message: str, remedy: str = "", *, error: str = "") -> None:
        super().__init__(message, remedy)
        self.error = error


class NoFunds(Fatal):
    """Money, allowance or gas is missing; the remedy names the command that supplies it."""


class TooLate(Fatal):
    """A window was missed; the message says which and what follows from it."""


class Tampered(Fatal):
    """Bytes are not what their digest, signature or commitment says. `where` names file and line."""

    exit_code = 3

    def __init__(self, message: str, remedy: str = "", *, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message, remedy)
        self.where = where


class Retry(AssayError):
    """The same call may work in a moment."""

    exit_code = 2


class Unreachable(Retry):
    """A node, a gateway or a store did not answer in time or at all."""


class NotYet(AssayError):
    """The chain is not there yet. `at` is the Unix time from which to try again, 0 if unknown."""

    def __init__(self, message: str, remedy: str = "", *, at: int = 0) -> None:
        super().__init__(message, remedy)
        self.at = at
