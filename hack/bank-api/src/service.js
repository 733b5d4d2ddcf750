/** What the bank's two servers share: their connections, their health page, and an end that loses nothing. */
import { createServer } from "node:http";
import * as database from "./database.js";
import { read } from "./environment.js";
import * as locks from "./locks.js";
import { Nodes } from "./nodes.js";

/** Connect to everything, or end the process with one sentence. */
export async function open() {
  try {
    const environment = read(process.env);
    await database.connect(environment.mongodb);
    const { redis, hold } = locks.connect(environment);
    const nodes = new Nodes(environment.nodes, environment.modeFile);
    await nodes.watch();
    return { ...environment, redis, hold, nodes };
  } catch (error) {
    console.error(`The bank does not start: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  }
}

/** @param {Awaited<ReturnType<typeof open>>} bank */
export const isHealthy = async ({ redis }) => database.isConnected() && (await locks.isAlive(redis));

/**
 * Serve `/healthz` and, for what else is asked, `otherwise`; on SIGTERM answer what was begun, then leave.
 * @param {number} port
 * @param {() => Promise<boolean>} healthy
 * @param {import("node:http").RequestListener} otherwise
 */
export function serve(port, healthy, otherwise) {
  const server = createServer(async (request, response) => {
    if (request.url !== "/healthz") return otherwise(request, response);
    const isWell = await healthy();
    response.writeHead(isWell ? 200 : 503, { "content-type": "text/plain" }).end(isWell ? "ok\n" : "not now\n");
  });
  server.listen(port, () => console.log(`Listening on ${port}.`));
  process.once("SIGTERM", () => {
    console.log("Asked to stop: answering what was begun.");
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
