/** What the bank may do at the moment. The operator writes the mode; the bank reads it before each thing it does. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const ALLOWED = {
  Full: ["read", "receive", "intraledger", "send"],
  ReceiveOnly: ["read", "receive", "intraledger"],
  IntraledgerOnly: ["read", "intraledger"],
  ReadOnly: ["read"],
  Closed: [],
};
const NOUNS = { read: "reading", receive: "invoice", intraledger: "payment across", send: "payment" };
/** @typedef {keyof typeof ALLOWED} Mode */

/**
 * A file that can't be read or says something else could mean anything: no money moves then.
 * @param {string | undefined} file
 * @returns {Promise<Mode>}
 */
export async function current(file) {
  if (!file) return "Full";
  const said = await readFile(file, "utf8").catch(() => "");
  const mode = said.trim();
  return mode in ALLOWED ? /** @type {Mode} */ (mode) : "ReadOnly";
}

/**
 * @param {string | undefined} file
 * @param {"read" | "receive" | "intraledger" | "send"} what
 * @returns {Promise<string | null>} why not, or null
 */
export async function refusal(file, what) {
  const mode = await current(file);
  if (/** @type {string[]} */ (ALLOWED[mode]).includes(what)) return null;
  return `The bank is in mode ${mode} and allows no ${NOUNS[what]} now. What was begun goes on; ask again later.`;
}

/**
 * Names of Lightning nodes that are about to be stopped. Nothing new is begun on them, what is under way goes on;
 * a file that can't be read names none, for the nodes themselves answer or don't.
 * @param {string | undefined} file
 * @returns {Promise<string[]>}
 */
export async function avoided(file) {
  if (!file) return [];
  const said = await readFile(join(dirname(file), "avoid"), "utf8").catch(() => "");
  return said.split(/\s+/).filter(Boolean);
}
