// Compiles one mutant after another in one process: a line of JSON in (sources, contracts, viaIR), a line of JSON out.
"use strict";
const readline = require("node:readline");
const solc = require("solc");

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { sources, contracts, viaIR } = JSON.parse(line);
  const outputSelection = {};
  for (const [file, name] of contracts) outputSelection[file] = { [name]: ["evm.deployedBytecode.object"] };
  const settings = { viaIR, evmVersion: "cancun", optimizer: { enabled: viaIR, runs: 200 }, outputSelection };
  const inputs = Object.fromEntries(Object.entries(sources).map(([name, content]) => [name, { content }]));
  const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources: inputs, settings })));
  const errors = (output.errors || []).filter((entry) => entry.severity === "error").map((entry) => entry.message);
  const codes = errors.length ? {} : Object.fromEntries(
    contracts.map(([file, name]) => [name, output.contracts[file][name].evm.deployedBytecode.object]));
  process.stdout.write(JSON.stringify({ errors, codes }) + "\n");
});
