"""`assay provider`: stake, register models, commit versions, try, join, serve, look after what was answered.

Owners' keys deposit, withdraw and allow; operators' keys do the rest.
"""

from pathlib import Path

import click

from assay import keys
from assay.cli import stake
from assay.cli.common import emit, pass_settings, password_of, password_option
from assay.cli.provider import evidence, joining, models, serving, status, watching
from assay.settings import Settings, home_folder


@click.group("provider")
def command() -> None:
    """Let your models sit exams.

    \b
    Once:             init, then money to both keys, deposit, allow
    Each model:       try, register, commit-version
    Each invitation:  join
    Each day:         serve, watch, status
    After a round:    evidence
    """


@command.command()
@click.option("--owner", default="owner", show_default=True, help="Name of the key that holds the stake.")
@click.option("--operator", default="operator", show_default=True, help="Name of the key that signs answers.")
@click.option("--light", is_flag=True, help="Keys that open fast and protect little: for development chains.")
@password_option
@pass_settings
def init(settings: Settings, owner: str, operator: str, light: bool, password_file: Path | None) -> None:
    """Make both keys and a policy.toml, where they are missing."""
    from assay.gateway.policy import TEMPLATE

    have = dict(keys.list_keys(settings.keys))
    missing = [name for name in (owner, operator) if name not in have]
    if missing:
        password = password_of(password_file, confirm=True)
        for name in dict.fromkeys(missing):
            have[name] = keys.new_key(settings.keys, name, password, light=light)
    path = home_folder(settings.home) / "policy.toml"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(TEMPLATE, encoding="utf-8")
    emit(settings, {"owner": have[owner], "operator": have[operator], "policy": path})


for made in (
    stake.deposit,
    stake.withdraw,
    stake.allow,
    stake.balance,
    models.register,
    models.commit_version,
    models.list_,
    models.release,
    serving.try_,
    serving.serve,
    joining.join,
    evidence.evidence,
    watching.watch,
    status.status,
):
    command.add_command(made)
