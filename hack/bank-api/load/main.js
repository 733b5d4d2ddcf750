/**
 * node load/main.js run [--seconds 60] [--intraledger 20] [--lightning 5] [--patience 90] [--names A,B,…] [--funds 20000]
 * node load/main.js crash [--step 1]
 * node load/main.js overtake [--step 1]
 * node load/main.js check [--settle 90]
 * node load/main.js plant loss|double
 * node load/main.js balances --names A,B,…
 * node load/main.js books
 *
 * The first five take --asked FILE, where every payment asked for is remembered, and need OUTSIDE_DNS, OUTSIDE_TLS,
 * OUTSIDE_MACAROON, OUTSIDE_PUBKEY of a node that is not the bank's. Customers' commands (run, balances) go by API_URL
 * alone; the others need the API's environment. balances and books print one line of JSON.
 * Ends with 0: all well; 1: lost, doubled or broken books; 3: some still unknown; 4: none of these, but some hang in
 * LND, which will never say what became of them; 2: asked wrongly.
 */
import { parseArgs } from "node:util";
import * as database from "../src/database.js";
import { read } from "../src/environment.js";
import { LightningNode } from "../src/nodes.js";
import { Asked } from "./asked.js";
import { check } from "./check.js";
import { crash } from "./crash.js";
import { overtake } from "./overtake.js";
import { plant } from "./plant.js";
import { run } from "./run.js";
import { balances, books } from "./told.js";

const options = /** @type {const} */ ({
  asked: { type: "string", default: "asked.jsonl" },
  seconds: { type: "string", default: "60" },
  intraledger: { type: "string", default: "20" },
  lightning: { type: "string", default: "5" },
  patience: { type: "string", default: "90" },
  names: { type: "string", default: "" },
  funds: { type: "string", default: "20000" },
  step: { type: "string", default: "1" },
  settle: { type: "string", default: "90" },
});

try {
  process.exit(await main());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(2);
}

async function main() {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const asked = new Asked(values.asked);
  const [command, what] = positionals;
  const url = process.env.API_URL ?? "http://localhost:4002/graphql";
  const patienceMs = Number(values.patience) * 1_000;
  const names = values.names.split(",").filter(Boolean);
  if ((process.env.NETWORK ?? "regtest") !== "regtest") {
    throw new Error("The load moves money about: it runs on regtest only.");
  }
  if (command === "run") {
    const rates = { intraledger: Number(values.intraledger), lightning: Number(values.lightning) };
    const fundsSat = Number(values.funds);
    await run({ url, outside: outside(), asked, seconds: Number(values.seconds), rates, patienceMs, names, fundsSat });
    return 0;
  }
  if (command === "balances") {
    console.log(JSON.stringify(await balances(url, names, patienceMs)));
    return 0;
  }
  if (command === "crash" || command === "overtake") {
    const story = { crash, overtake }[command];
    await story({ url, outside: outside(), asked, patienceMs, step: Number(values.step) });
    return 0;
  }
  const environment = read(process.env);
  const nodes = environment.nodes.map((slot) => new LightningNode(slot));
  await database.connect(environment.mongodb);
  if (command === "books") {
    console.log(JSON.stringify(await books(nodes)));
    return 0;
  }
  if (command === "plant" && (what === "loss" || what === "double")) {
    await plant(what, asked);
    return 0;
  }
  if (command !== "check") throw new Error("Say run, crash, overtake, check, plant loss, plant double, balances or books.");
  return check({ url, nodes, outside: outside(), asked, settleMs: Number(values.settle) * 1_000 });
}

function outside() {
  const { OUTSIDE_PUBKEY: pubkey = "", OUTSIDE_DNS: host, OUTSIDE_RPCPORT: port = "10009" } = process.env;
  const { OUTSIDE_TLS: cert, OUTSIDE_MACAROON: macaroon } = process.env;
  if (!host || !cert || !macaroon) throw new Error("OUTSIDE_DNS, OUTSIDE_TLS and OUTSIDE_MACAROON are not all set.");
  return new LightningNode({ name: "outside", pubkey, socket: `${host}:${port}`, cert, macaroon });
}
