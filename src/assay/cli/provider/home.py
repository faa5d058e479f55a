"""What the commands of `assay provider` read of this home."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from assay.settings import Settings, home_folder

if TYPE_CHECKING:
    from assay.gateway.catalogue import Catalogue
    from assay.gateway.database import Database


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
