"""`assay quickstart`: one page for each role, whose indented lines are commands."""

from importlib import resources

import click

from assay.cli.common import emit, pass_settings
from assay.settings import Settings

ROLES = ("benchmarker", "provider", "reader")
INDENT = "    "


@click.command("quickstart")
@click.argument("role", type=click.Choice(ROLES))
@pass_settings
def command(settings: Settings, role: str) -> None:
    """Show how ROLE begins, line by line."""
    text = page(role)
    emit(settings, {"role": role, "text": text, "commands": lines(text)}, text.rstrip("\n"))


def page(role: str) -> str:
    """The page of a role."""
    return resources.files("assay.cli").joinpath("quickstarts", f"{role}.md").read_text("utf-8")


def lines(text: str) -> list[str]:
    """The commands of a page: its indented lines."""
    return [line.strip() for line in text.splitlines() if line.startswith(INDENT)]
