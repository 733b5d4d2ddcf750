/**
 * Blink's locks: redlock over one Redis master. They keep the bank orderly, not correct: a failover can lose
 * one and let a second holder in, so what must not happen twice is refused by the database and by LND.
 */
import Redis from "ioredis";
import Redlock from "redlock";

/** This question did nothing, and says nothing of an older one: somebody else holds the lock, or was just refused. */
export class Busy extends Error {}

/** @param {ReturnType<typeof import("./environment.js").read>} environment */
export function connect({ redis: { type, master, username, password, hosts }, network }) {
  if (!hosts.length) throw new Error("REDIS_0_DNS is not set: the bank does not pay without locks. Set it.");
  const options = { username, password, maxRetriesPerRequest: 3, lazyConnect: false };
  const redis =
    type === "standalone"
      ? new Redis({ ...options, ...hosts[0] })
      : new Redis({ ...options, sentinels: hosts, name: master, sentinelPassword: password });
  redis.on("error", (error) => console.warn(`Redis: ${error.message}`));
  const redlock = new Redlock([redis], {
    retryCount: 10,
    retryDelay: 600,
    retryJitter: 200,
    automaticExtensionThreshold: 2_500,
  });
  redlock.on("error", () => {}); // each is also thrown where it matters
  return { redis, hold: holder(redlock, network === "regtest" ? 10_000 : 180_000) };
}

export const walletKey = (/** @type {string} */ walletId) => `locks:wallet:${walletId}`;
export const paymentKey = (/** @type {string} */ hash) => `locks:paymenthash:${hash}`;

/**
 * @param {Redlock} redlock
 * @param {number} ttl
 */
function holder(redlock, ttl) {
  /**
   * @template T
   * @param {string[]} keys
   * @param {(signal: AbortSignal) => Promise<T>} section
   * @returns {Promise<T>}
   */
  return async (keys, section) => {
    /** @type {{value?: T, error?: unknown} | undefined} */
    let ended;
    try {
      await redlock.using(keys, ttl, async (signal) => {
        try {
          ended = { value: await section(/** @type {any} */ (signal)) };
        } catch (error) {
          ended = { error };
        }
      });
    } catch (error) {
      // A lock that could not be released says nothing about the section, which may have paid.
      if (!ended) throw new Busy("Another payment of this wallet or invoice is under way. Ask again.");
    }
    if (ended && "error" in ended) throw ended.error;
    return /** @type {T} */ (ended?.value);
  };
}

/** @param {Redis} redis */
export async function isAlive(redis) {
  try {
    return (await redis.ping()) === "PONG";
  } catch {
    return false;
  }
}
