"""What the commands of `assay provider` read of this home."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assay.settings import Settings, home_folder

if TYPE_CHECKING:
    from assay.gateway.catalogue import Catalogue
    from assay.gateway.database import Database

Function = TypeVar("Function", bound=Callable[..., Any])
GAS_BUDGET = "0.05 ether"


def gas_budget_option(function: Function) -> Function:
    """Adds --gas-budget, as `budget`."""
    what = "Most that gas may cost in a day, posts and challenges of this home together."
    return click.option("--gas-budget", "budget", metavar="AMOUNT", default=GAS_BUDGET, show_default=True, help=what)(function)


@contextmanager
def database_of(settings: Settings) -> "Iterator[Database]":
    """The gateway's file of this home, for a while."""
    from assay.gateway.database import Database

    database = Database(home_folder(settings.home) / "gateway.sqlite")
    try:
        yield database
    finally:
        database.close()


@contextmanager
def catalogue_of(settings: Settings) -> "Iterator[Catalogue]":
    """Names and versions of this home, for a while."""
    from assay.gateway.catalogue import Catalogue

    with database_of(settings) as database:
        yield Catalogue(database)
