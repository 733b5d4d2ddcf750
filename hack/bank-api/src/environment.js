/**
 * What the bank is told by its environment: the names Blink's API uses, so that one deployment fits both.
 * A value that is missing is one sentence at the start, never a surprise in the middle of a payment.
 */

/** @typedef {{name: string, pubkey: string, socket: string, cert: string, macaroon: string}} Slot */

const PUBKEY = /^0[23][0-9a-f]{64}$/;

/** @param {NodeJS.ProcessEnv} given */
export function read(given) {
  const need = (/** @type {string} */ name) => {
    const value = given[name];
    if (!value) throw new Error(`${name} is not set: the bank does not start without it. Set it on the component.`);
    return value;
  };
  return {
    network: given.NETWORK ?? "regtest",
    mongodb: need("MONGODB_CON"),
    redis: {
      type: given.REDIS_TYPE ?? "sentinel",
      master: given.REDIS_MASTER_NAME ?? "mymaster",
      username: given.REDIS_USERNAME,
      password: given.REDIS_PASSWORD || undefined,
      hosts: redisHosts(given),
    },
    nodes: slots(given),
    modeFile: given.BANKSTACK_MODE_FILE ?? given.MODE_FILE,
    apiPort: Number(given.GALOY_API_PORT ?? 4002),
    triggerPort: Number(given.TRIGGER_PORT ?? 8888),
  };
}

/**
 * The nodes in order of priority. A slot with a gap is left out, as Blink does, but never silently:
 * a bank that believes it has two nodes and has one loses half of what it can pay.
 * @param {NodeJS.ProcessEnv} given
 * @returns {Slot[]}
 */
function slots(given) {
  const found = numbers(given, /^LND(\d+)_DNS$/).flatMap((number) => {
    const prefix = `LND${number}`;
    const [pubkey, host, cert, macaroon] = ["PUBKEY", "DNS", "TLS", "MACAROON"].map((part) => given[`${prefix}_${part}`]);
    if (!pubkey || !host || !cert || !macaroon || !PUBKEY.test(pubkey)) {
      console.warn(`${prefix} is left out: it needs ${prefix}_PUBKEY (66 hex), _DNS, _TLS and _MACAROON (base64).`);
      return [];
    }
    const socket = `${host}:${given[`${prefix}_RPCPORT`] ?? 10009}`;
    return [{ name: given[`${prefix}_NAME`] ?? prefix.toLowerCase(), pubkey, socket, cert, macaroon }];
  });
  return given.LND_PRIORITY === "lnd2" ? found.reverse() : found;
}

/** @param {NodeJS.ProcessEnv} given */
function redisHosts(given) {
  const usual = given.REDIS_TYPE === "standalone" ? 6379 : 26379;
  return numbers(given, /^REDIS_(\d+)_DNS$/).map((number) => ({
    host: /** @type {string} */ (given[`REDIS_${number}_DNS`]),
    port: Number(given[`REDIS_${number}_PORT`] ?? usual),
  }));
}

/** The numbers in such names that have a value, in order. @param {NodeJS.ProcessEnv} given @param {RegExp} name */
function numbers(given, name) {
  const found = Object.keys(given).flatMap((key) => (given[key] && name.exec(key)?.[1]) || []);
  return found.map(Number).sort((a, b) => a - b);
}
