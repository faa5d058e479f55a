// Whether deployed code matches sources, told by the library behind Sourcify.
//   node verify.cjs RPC CHAIN_ID < jobs.json   where each job is {address, contract, compiler, input}
// prints one line of JSON for each job: {address, runtime} with "perfect", "partial" or null, or {address, error} with the library's code.
"use strict";
const fs = require("node:fs");
const solc = require("solc");
const { SolidityCompilation, SourcifyChain, Verification, setLibSourcifyLoggerLevel } = require("@ethereum-sourcify/lib-sourcify");

setLibSourcifyLoggerLevel(0);
const [rpc, chainId] = [process.argv[2], Number(process.argv[3])];
const chain = new SourcifyChain({ name: "local", chainId, supported: true, rpcs: [{ rpc }], rpc: [rpc] });
const compiler = {
  async compile(version, input) {
    if (!solc.version().startsWith(version.replace(/^v/, ""))) throw new Error(`compiler ${version} is not here`);
    return JSON.parse(solc.compile(JSON.stringify(input)));
  },
};

async function matched({ address, contract, compiler: version, input }) {
  const [path, name] = contract.split(":");
  try {
    const compilation = new SolidityCompilation(compiler, version.replace(/^v/, ""), input, { path, name });
    const verification = new Verification(compilation, chain, address);
    await verification.verify();
    return { address, runtime: verification.status.runtimeMatch };
  } catch (error) {
    return { address, error: error.code ?? String(error) };
  }
}

(async () => {
  for (const job of JSON.parse(fs.readFileSync(0, "utf8"))) console.log(JSON.stringify(await matched(job)));
})();
