"""The chain: a bounded JSON-RPC client, one wrapper per contract, one door for transactions, the event index and deployment."""
