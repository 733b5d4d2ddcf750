/**
 * The bank as its customers see it: the part of Blink's GraphQL that moves money, by the same names.
 * A sample: the bearer token is the customer's name, and nobody checks it.
 */
import { createSchema } from "graphql-yoga";
import { GraphQLError } from "graphql";
import { balance, statement } from "./books.js";
import { InvoiceUsers } from "./database.js";
import { lnInvoiceCreate } from "./invoices.js";
import { Busy } from "./locks.js";
import { current, refusal } from "./mode.js";
import { intraLedgerPaymentSend, isAmount, lnInvoicePaymentSend } from "./payments.js";
import { accountOf } from "./wallets.js";

const typeDefs = /* GraphQL */ `
  type Query {
    me: User
    globals: Globals!
  }
  type Globals {
    network: String!
    mode: String!
    nodesIds: [String!]!
  }
  type User {
    id: ID!
    username: String!
    defaultAccount: Account!
  }
  type Account {
    id: ID!
    defaultWalletId: ID!
    defaultWallet: Wallet!
    wallets: [Wallet!]!
  }
  type Wallet {
    id: ID!
    walletCurrency: String!
    balance: Int!
    transactions(first: Int = 20): [Transaction!]!
    transactionsByPaymentHash(paymentHash: String!): [Transaction!]!
    transactionsByExternalId(externalId: String!): [Transaction!]!
    invoiceByPaymentHash(paymentHash: String!): LnInvoice
  }
  type Transaction {
    id: ID!
    type: String!
    status: TxStatus!
    settlementAmount: Int!
    memo: String
    paymentHash: String
    externalId: String
    createdAt: Float!
  }
  enum TxStatus {
    PENDING
    SUCCESS
    FAILURE
  }
  enum PaymentSendResult {
    SUCCESS
    PENDING
    FAILURE
    ALREADY_PAID
  }
  type Error {
    message: String!
    code: String
  }
  type LnInvoice {
    paymentHash: String!
    paymentRequest: String
    paymentStatus: String!
    satoshis: Int!
  }
  type LnInvoicePayload {
    errors: [Error!]!
    invoice: LnInvoice
  }
  type PaymentSendPayload {
    errors: [Error!]!
    status: PaymentSendResult
  }
  input LnInvoiceCreateInput {
    walletId: ID!
    amount: Int!
    memo: String
    "Minutes"
    expiresIn: Int
  }
  input LnInvoicePaymentInput {
    walletId: ID!
    paymentRequest: String!
    memo: String
  }
  input IntraLedgerPaymentSendInput {
    walletId: ID!
    recipientWalletId: ID!
    amount: Int!
    memo: String
  }
  type Mutation {
    lnInvoiceCreate(input: LnInvoiceCreateInput!): LnInvoicePayload!
    lnInvoicePaymentSend(input: LnInvoicePaymentInput!): PaymentSendPayload!
    intraLedgerPaymentSend(input: IntraLedgerPaymentSendInput!): PaymentSendPayload!
  }
`;

/** @typedef {import("./payments.js").Bank & {modeFile?: string, network: string}} Context */

/** @param {Context} bank */
export function schema(bank) {
  return createSchema({
    typeDefs,
    resolvers: {
      Query: {
        globals: async () => ({
          network: bank.network,
          mode: await current(bank.modeFile),
          nodesIds: bank.nodes.active.map((node) => node.pubkey),
        }),
        me: async (_, __, { request }) => {
          const refused = await refusal(bank.modeFile, "read");
          if (refused) throw new GraphQLError(refused, { extensions: { code: "CLOSED" } });
          return customer(request);
        },
      },
      User: {
        id: (account) => account._id,
        username: (account) => account._id,
        defaultAccount: (account) => account,
      },
      Account: {
        id: (account) => account._id,
        defaultWalletId: (account) => account.walletId,
        defaultWallet: (account) => ({ id: account.walletId }),
        wallets: (account) => [{ id: account.walletId }],
      },
      Wallet: {
        walletCurrency: () => "BTC",
        balance: ({ id }) => balance(id),
        transactions: ({ id }, { first }) => statement(id, {}, Math.min(first, 100)),
        transactionsByPaymentHash: ({ id }, { paymentHash }) => statement(id, { hash: paymentHash }, 100),
        transactionsByExternalId: ({ id }, { externalId }) => statement(id, { external_id: externalId }, 100),
        invoiceByPaymentHash: async ({ id }, { paymentHash }) => {
          const invoice = await InvoiceUsers.findOne({ _id: paymentHash, walletId: id }).lean();
          return invoice && { paymentHash, satoshis: invoice.amount, paymentStatus: invoiceStatus(invoice) };
        },
      },
      Transaction: {
        id: (row) => String(row._id),
        status: (row) => (row.voided || row._original_journal ? "FAILURE" : row.pending ? "PENDING" : "SUCCESS"),
        settlementAmount: (row) => row.credit - row.debit,
        paymentHash: (row) => row.hash,
        externalId: (row) => row.external_id,
        createdAt: (row) => row.datetime.getTime() / 1000,
      },
      Mutation: {
        lnInvoiceCreate: (_, { input }, { request }) =>
          mutation(bank, request, "receive", input, async () => {
            if (!isAmount(input.amount)) return failed("INVALID_INPUT", "The amount is whole satoshis, 1 or more.");
            const expiresInMs = input.expiresIn && Math.min(Math.max(input.expiresIn, 1), 1440) * 60_000;
            const invoice = await lnInvoiceCreate(bank, { ...input, expiresInMs });
            if (!invoice) return failed("NO_NODE", "No Lightning node of the bank answers. Ask again later.");
            return { errors: [], invoice: { ...invoice, paymentStatus: "PENDING" } };
          }),
        lnInvoicePaymentSend: (_, { input }, { request }) =>
          mutation(bank, request, "send", input, (question) => lnInvoicePaymentSend(bank, input, question)),
        intraLedgerPaymentSend: (_, { input }, { request }) =>
          mutation(bank, request, "intraledger", input, (question) => intraLedgerPaymentSend(bank, input, question)),
      },
    },
  });
}

/** @param {Request} request */
async function customer(request) {
  const [, username] = /^Bearer ([\w.-]{1,64})$/.exec(request.headers.get("authorization") ?? "") ?? [];
  if (!username) throw new GraphQLError("Say who you are: Authorization: Bearer NAME.", { extensions: { code: "WHO" } });
  return accountOf(username);
}

/** @param {string} code @param {string} message */
const failed = (code, message) => ({ status: "FAILURE", errors: [{ code, message }] });

/**
 * What every mutation asks first, and what it says when it can't tell what came of it.
 * @param {Context} bank
 * @param {Request} request
 * @param {"receive" | "send" | "intraledger"} what
 * @param {{walletId: string}} input
 * @param {(question: import("./payments.js").Question) => Promise<object>} act
 */
async function mutation(bank, request, what, input, act) {
  // Before anything is waited for: what was refused since then is not begun.
  const question = { key: request.headers.get("x-idempotency-key") ?? undefined, askedAt: Date.now() };
  const refused = await refusal(bank.modeFile, what);
  // Not a FAILURE: of a payment that was asked for before the mode changed it would be untrue.
  if (refused) throw new GraphQLError(refused, { extensions: { code: "MODE" } });
  try {
    const { walletId } = await customer(request);
    if (walletId !== input.walletId) return failed("NOT_AUTHORIZED", "That is not your wallet; nothing was done.");
    return await act(question);
  } catch (error) {
    if (error instanceof Busy) throw new GraphQLError(error.message, { extensions: { code: "BUSY" } });
    if (error instanceof GraphQLError) throw error;
    console.error(`${what}:`, error);
    const message = "The outcome is not known yet. Ask again with the same invoice or idempotency key: it is paid once.";
    throw new GraphQLError(message, { extensions: { code: "UNKNOWN" } });
  }
}

/** @param {{paid: boolean, processingCompleted: boolean}} invoice */
const invoiceStatus = ({ paid, processingCompleted }) => (paid ? "PAID" : processingCompleted ? "EXPIRED" : "PENDING");
