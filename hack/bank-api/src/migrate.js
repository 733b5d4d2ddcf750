/** The job before the others: indexes, and the accounts the bank itself needs. Run again it changes nothing. */
import mongoose from "mongoose";
import "./books.js";
import { connect } from "./database.js";
import { read } from "./environment.js";
import { accountOf } from "./wallets.js";

const OWNERS = ["bankowner", "funder", "dealer"];

try {
  await connect(read(process.env).mongodb);
  for (const model of Object.values(mongoose.models)) await model.createIndexes();
  for (const owner of OWNERS) await accountOf(owner);
  console.log(`Migrated: ${Object.keys(mongoose.models).length} collections, ${OWNERS.length} owner accounts.`);
  await mongoose.disconnect();
} catch (error) {
  console.error(`Not migrated, nothing starts before it is: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
