"""The watchtower: follows the chain, audits every revealed round, demands what is not shown, brings every fault to the chain."""
