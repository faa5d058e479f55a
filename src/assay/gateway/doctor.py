"""What is looked at before the gateway serves: the version and its key, stake, allowance, money for gas."""

from typing import NamedTuple

from assay.chain.client import Chain
from assay.chain.stakes import lacks
from assay.errors import BadInput, BadKey
from assay.gateway.policy import Policy
from assay.types import Address, Version, VersionId


class Warned(NamedTuple):
    """Something that will not work until it is mended; the gateway serves all the same."""

    message: str
    remedy: str


def check_version(chain: Chain, version: VersionId, operator: Address) -> Version:
    """The version, on chain and under this key. BadInput, BadKey, Unreachable."""
    found = chain.models.version(version)
    if found is None:
        raise BadInput(
            f"the chain knows no version 0x{version.hex()}", "commit it: assay provider commit-version", where="--version"
        )
    if found.operator != operator:
        raise BadKey(
            f"version 0x{version.hex()} belongs to the key {found.operator}, not {operator}",
            "serve with that key, or commit a version with this one: assay provider commit-version",
        )
    return found


def check_means(chain: Chain, version: Version, policy: Policy) -> list[Warned]:
    """What is missing for bonds and posts, measured by the largest bond that the policy admits. Unreachable."""
    operator, bond = version.operator, policy.largest_version_bond
    missing = lacks(chain, "provider", version.owner, operator, bond)
    found = [Warned(f"{lack.says} by bonds that the policy admits", lack.then) for lack in missing]
    if chain.node.balance(operator) == 0:
        found.append(Warned(f"{operator} has no money to post answers with", f"send some to {operator}"))
    return found
