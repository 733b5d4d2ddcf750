/**
 * Asks everybody what became of each payment: the API, MongoDB, the bank's nodes and the outside one.
 * Reads only, and by its own queries: a mistake in the bank's code must not be repeated here.
 */
import { setTimeout as pause } from "node:timers/promises";
import mongoose from "mongoose";
import { Customer } from "./customer.js";
import { verdict } from "./verdict.js";

const AT_ONCE = 16;
const QUESTIONS_IN_ONE = 25;
const LOOK_AGAIN_MS = 3_000;
/** Who is asked last may know of more: a payment that ends between two questions looks lost, a lost one stays so. */
const LOOKS_AT_LOSS = 5;
const UNFINISHED = ["posting", "recorded", "sending", "settling", "reversing"];

/**
 * @param {{url: string, nodes: any[], outside: any, asked: import("./asked.js").Asked, settleMs: number}} wanted
 * @returns {Promise<number>} the exit code
 */
export async function check({ url, nodes, outside, asked, settleMs }) {
  const payments = asked.read();
  const began = Date.now();
  let verdicts;
  let looks = 0;
  do {
    verdicts = await judge(payments, url, nodes, outside);
    looks += 1;
    const seen = new Set(verdicts.map((one) => one.verdict));
    const isWrong = seen.has("lost") || seen.has("doubled");
    if (!seen.has("unknown") && !seen.has("hung") && (!isWrong || looks >= LOOKS_AT_LOSS)) break;
    await pause(LOOK_AGAIN_MS);
  } while (Date.now() - began < settleMs);
  const faults = await audit();
  report(verdicts, faults);
  const of = (/** @type {string} */ what) => verdicts.filter((one) => one.verdict === what).length;
  const sound = Object.values(faults).every((count) => count === 0);
  console.log(`books: ${sound ? "sound" : "BROKEN"} (${Object.entries(faults).map(([what, n]) => `${what} ${n}`).join(", ")})`);
  await holdings(nodes);
  const counts = ["lost", "doubled", "unknown", "hung"].map((what) => `${what} ${of(what)}`).join(", ");
  console.log(`${counts} of ${payments.length}`);
  if (of("lost") || of("doubled") || !sound) return 1;
  if (of("unknown")) return 3;
  return of("hung") ? 4 : 0;
}

/** @param {any[]} payments @param {string} url @param {any[]} nodes @param {any} outside */
async function judge(payments, url, nodes, outside) {
  const books = await bookkeeping();
  const api = await told(url, payments);
  const held = new Map(await Promise.all([...nodes, outside].map(async (one) => [one, await one.htlcHashes()])));
  return inParts(payments, async (payment) => {
    const { key, kind, amount, walletId, recipientWalletId, answer } = payment;
    const isPending = books.isPending(key);
    const isAwaited = books.isAwaited(key);
    const changed = { from: books.net(walletId, key), to: books.net(recipientWalletId, key), isPending, isAwaited };
    const ends = kind === "intraledger" ? null : await bothEnds(payment, nodes, outside);
    const lightning = ends && moved(ends);
    const hangs = ends !== null && isHung(ends, key, held);
    const evidence = { kind, amount, told: answer?.status, books: changed, api: api.get(key) ?? 0, lightning, hangs };
    const found = verdict(evidence);
    const why = ends && ["unknown", "hung"].includes(found.verdict) ? `${found.why}; ${said(ends)}` : found.why;
    return { key, kind, told: answer?.heard?.join("; ") ?? answer?.status ?? "NO_ANSWER", ...found, why };
  });
}

/** Every row of a customer's wallet, added up by wallet and payment. */
async function bookkeeping() {
  const rows = collection("medici_transactions");
  const group = { wallet: "$accounts", key: { $ifNull: ["$hash", "$external_id"] } };
  const nets = new Map();
  const pending = new Set();
  const summed = [
    { $match: { "account_path.0": "Liabilities" } },
    { $group: { _id: group, net: { $sum: { $subtract: ["$credit", "$debit"] } }, pending: { $max: "$pending" } } },
  ];
  for await (const { _id, net, pending: isPending } of rows.aggregate(summed, { readConcern: "majority" })) {
    nets.set(`${_id.wallet}/${_id.key}`, net);
    if (isPending) pending.add(_id.key);
  }
  for await (const { hash, externalId } of collection("paymentflowstates").find({ state: { $in: UNFINISHED } })) {
    pending.add(hash ?? externalId);
  }
  const awaited = new Set();
  for await (const { _id } of collection("invoiceusers").find({ processingCompleted: false })) awaited.add(_id);
  return {
    net: (/** @type {string} */ wallet, /** @type {string} */ key) => nets.get(`Liabilities:${wallet}/${key}`) ?? 0,
    isPending: (/** @type {string} */ key) => pending.has(key),
    isAwaited: (/** @type {string} */ key) => awaited.has(key),
  };
}

/** What the API says each payment changed in its customer's wallet. @param {string} url @param {any[]} payments */
async function told(url, payments) {
  const said = new Map();
  const parts = [...groupBy(payments, (one) => one.customer)].flatMap(([name, those]) =>
    chunks(those, QUESTIONS_IN_ONE).map((part) => ({ name, part })),
  );
  await inParts(parts, async ({ name, part }) => {
    const questions = part.map(({ key, kind }, n) =>
      kind === "intraledger"
        ? `p${n}: transactionsByExternalId(externalId: "${key}") { settlementAmount }`
        : `p${n}: transactionsByPaymentHash(paymentHash: "${key}") { settlementAmount }`,
    );
    const query = `{ me { defaultAccount { defaultWallet { ${questions.join(" ")} } } } }`;
    const { me } = await new Customer(url, name, 30_000).insist(query);
    part.forEach(({ key }, n) => {
      const rows = me.defaultAccount.defaultWallet[`p${n}`];
      said.set(key, rows.reduce((sum, row) => sum + row.settlementAmount, 0));
    });
  });
  return said;
}

/**
 * What those nodes say that may have paid, and those that may have been paid.
 * @param {any} payment @param {any[]} nodes @param {any} outside
 * @returns {Promise<Ends>}
 * @typedef {{payers: any[], paid: any[], received: any[]}} Ends
 */
async function bothEnds({ key, kind }, nodes, outside) {
  const [payers, payees] = kind === "send" ? [nodes, [outside]] : [[outside], nodes];
  const [paid, received] = await Promise.all([
    Promise.all(payers.map((node) => node.payment(key))),
    Promise.all(payees.map((node) => node.invoice(key))),
  ]);
  return { payers, paid, received };
}

/**
 * Whether LND will never say what became of it: it has an attempt in flight which is in no channel. An LND that dies
 * between writing an attempt down and handing it to the channel waits for its end for ever, over all restarts.
 * @param {Ends} ends @param {string} hash @param {Map<any, Set<string> | null>} held
 */
function isHung({ payers, paid, received }, hash, held) {
  if ([...paid, ...received].includes(null) || received.some((one) => one.state === "settled")) return false;
  const waiting = payers.filter((_, n) => paid[n].state === "pending");
  return waiting.length === 1 && waiting.every((node) => held.get(node)?.has(hash) === false);
}

/** @param {Ends} ends */
function said({ paid, received }) {
  const words = (/** @type {any[]} */ some) => some.map((one) => one?.state ?? "no answer").join(", ");
  return `those who may have paid say ${words(paid)}; those who may have been paid ${words(received)}`;
}

/**
 * What moved over Lightning: the receiver's word for that it did, the sender's for how often and the fee.
 * @param {Ends} ends
 * @returns {import("./verdict.js").Lightning}
 */
function moved({ paid, received }) {
  if ([...paid, ...received].some((said) => said === null || said.state === "pending")) return null;
  const times = paid.filter((said) => said.state === "confirmed");
  const credited = received.find((said) => said.state === "settled");
  return { moved: credited?.received ?? 0, fee: times[0]?.fee ?? 0, times: times.length };
}

/** The books by themselves: what must hold whatever was asked. */
async function audit() {
  const rows = collection("medici_transactions");
  const journals = collection("medici_journals");
  const sums = { credit: { $sum: "$credit" }, debit: { $sum: "$debit" }, rows: { $sum: 1 } };
  const unequal = { $match: { $expr: { $ne: ["$credit", "$debit"] } } };
  const theirs = { from: "medici_journals", localField: "_id", foreignField: "_id", as: "journal" };
  const mirrors = { from: "medici_transactions", localField: "_id", foreignField: "_original_journal", as: "mirror" };
  const own = { from: "medici_transactions", localField: "_id", foreignField: "_journal", as: "rows" };
  const perJournal = { $group: { _id: "$_journal", ...sums } };
  const wrongCount = { $match: { $expr: { $ne: [{ $size: "$rows" }, { $size: "$_transactions" }] } } };
  const mirrorsOnce = { $match: { $expr: { $ne: [{ $size: "$mirror" }, { $size: "$_transactions" }] } } };
  const count = async (/** @type {any} */ from, /** @type {object[]} */ steps) =>
    (await from.aggregate([...steps, { $count: "n" }], { readConcern: "majority" }).toArray())[0]?.n ?? 0;
  const [whole] = await rows.aggregate([{ $group: { _id: null, ...sums } }]).toArray();
  return {
    "journals unequal": await count(rows, [perJournal, unequal]),
    "whole off by": (whole?.credit ?? 0) - (whole?.debit ?? 0),
    "rows without journal": await count(rows, [perJournal, { $lookup: theirs }, { $match: { journal: { $size: 0 } } }]),
    "journals incomplete": await count(journals, [{ $lookup: own }, wrongCount]),
    "voided without one mirror": await count(journals, [{ $match: { voided: true } }, { $lookup: mirrors }, mirrorsOnce]),
  };
}

/** For the reader only: channels opened with a push, or fees of the chain, make these differ. @param {any[]} nodes */
async function holdings(nodes) {
  const [assets] = await collection("medici_transactions")
    .aggregate([
      { $match: { accounts: "Assets:Reserve:Lightning" } },
      { $group: { _id: null, sats: { $sum: { $subtract: ["$debit", "$credit"] } } } },
    ])
    .toArray();
  const held = await Promise.all(nodes.map((node) => node.channelSats()));
  const sum = held.some((sats) => sats === null) ? "unknown" : held.reduce((total, sats) => total + sats, 0);
  console.log(`the books hold ${assets?.sats ?? 0} sat at the nodes; the nodes have ${sum} sat in channels`);
}

/** @param {any[]} verdicts @param {Record<string, number>} faults */
function report(verdicts, faults) {
  for (const [kind, those] of groupBy(verdicts, (one) => one.kind)) {
    const counted = [...groupBy(those, (one) => `${one.verdict}, ${one.why}`)].map(([what, n]) => [what, n.length]);
    for (const [what, n] of counted.slice(0, 20)) console.log(`${kind.padEnd(12)} ${String(n).padStart(6)}  ${what}`);
  }
  const bad = verdicts.filter((one) => one.verdict !== "ok").slice(0, 50);
  for (const { verdict: what, kind, key, told: heard, why } of bad) {
    console.log(`${what.toUpperCase()} ${kind} ${key} (the customer heard ${heard}): ${why}`);
  }
}

const collection = (/** @type {string} */ name) => mongoose.connection.collection(name);

/** @template T @param {T[]} those @param {(one: T) => string} by @returns {Map<string, T[]>} */
function groupBy(those, by) {
  const groups = new Map();
  for (const one of those) {
    const group = groups.get(by(one));
    if (group) group.push(one);
    else groups.set(by(one), [one]);
  }
  return groups;
}

/** @template T @param {T[]} those @param {number} size @returns {T[][]} */
const chunks = (those, size) =>
  Array.from({ length: Math.ceil(those.length / size) }, (_, n) => those.slice(n * size, (n + 1) * size));

/** @template T, R @param {T[]} those @param {(one: T) => Promise<R>} act @returns {Promise<R[]>} */
async function inParts(those, act) {
  const done = [];
  for (const part of chunks(those, AT_ONCE)) done.push(...(await Promise.all(part.map(act))));
  return done;
}
