"""`assay`: global options, and the table of nouns and verbs.

Every command lives in a module of its own, which holds it as `command` and is imported only when it is used.
"""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import click

from assay import __version__
from assay.settings import DEFAULT_HOME, DEFAULT_RPC, LOG_LEVELS, Settings

ROLES = """Assay examines AI models so that nobody has to be trusted.

\b
Three roles, and the first command of each:
  Reader        check a published round yourself      assay verify ROUND
  Benchmarker   seal your private questions           assay bench init
  Provider      let your model sit an exam            assay provider init

\b
Each of them, line by line:                           assay quickstart ROLE
Nothing at hand? A chain of your own:                 assay devnet
"""


class Entry(NamedTuple):
    """A command of the table: its module under `assay.cli`, which holds it as `command`, and one line of help."""

    module: str
    help: str


COMMANDS: Mapping[str, Entry] = {
    "audit-log": Entry("audit_log", "Who signed what in a round, block by block; and its check."),
    "bench": Entry("bench", "Benchmarkers: import, seal, enrol, ask, score, attest, reveal."),
    "challenge": Entry("challenge", "Bring the proof of a fault to the chain."),
    "demand": Entry("demand", "Make a benchmarker show an item, or lose its bond."),
    "demo": Entry("demo", "Go on with what the demo left."),
    "deploy": Entry("deploy", "Deploy the contracts, with the input for source verifiers."),
    "devnet": Entry("devnet", "A development chain with all contracts."),
    "doctor": Entry("doctor", "Whether a benchmarker's agent can be left alone."),
    "explain": Entry("explain", "Say what an error, a verdict or a transaction means."),
    "export": Entry("export", "Write a round as files that sacreBLEU reads."),
    "keys": Entry("keys", "Make, import and list keys."),
    "open": Entry("open", "Open one item of a round for any block explorer."),
    "provider": Entry("provider", "Providers: stake, register models, serve."),
    "quickstart": Entry("quickstart", "Show how a benchmarker, a provider or a reader begins."),
    "rank": Entry("rank", "Rank the versions of rounds, with intervals and ties."),
    "storage": Entry("storage", "Bundles of this home, and IPFS: import, export, publish, doctor."),
    "task": Entry("task", "Write, register and show tasks."),
    "verify": Entry("verify", "Check a round against the chain and its bundle."),
    "watch": Entry("watch", "Watch over all rounds: audit, demand, challenge."),
}


class Table(click.Group):
    """A group whose commands are imported when they are called, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, by name."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, or None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"assay.cli.{COMMANDS[cmd_name].module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table itself, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in sorted(COMMANDS.items())])


@click.group(
    cls=Table,
    help=ROLES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(__version__, prog_name="assay")
@click.option(
    "--rpc", metavar="URL", envvar="ASSAY_RPC", default=DEFAULT_RPC, show_default=True, help="JSON-RPC address of a node."
)
@click.option(
    "--deployment",
    metavar="FILE",
    envvar="ASSAY_DEPLOYMENT",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Addresses of the contracts. Default: the packaged file of the node's chain.",
)
@click.option(
    "--home",
    metavar="DIR",
    envvar="ASSAY_HOME",
    default=DEFAULT_HOME,
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of keys, journals and bundles.",
)
@click.option("--json", "as_json", is_flag=True, help="Results and errors as JSON on standard output.")
@click.option("--log-level", type=click.Choice(LOG_LEVELS), default="info", show_default=True, help="Least level that is logged.")
@click.pass_context
def cli(ctx: click.Context, *, rpc: str, deployment: Path | None, home: Path, as_json: bool, log_level: str) -> None:
    """Build the settings of this run."""
    from assay.cli.common import set_up_logs

    ctx.obj = Settings(rpc, deployment, home.expanduser(), as_json, log_level)
    set_up_logs(log_level)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """Entry point of `assay`: run the command, turn errors into messages and exit codes."""
    from assay.cli.common import run

    sys.exit(run(cli, sys.argv[1:]))
