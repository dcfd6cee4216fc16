/** State in Redis, which replicas of a service share. */
import { createClient, RESP_TYPES } from '@redis/client';
import { z } from 'zod';
import { CourierError, messageOf } from '../errors.ts';
import type { KeptEntry, LogEntry, StateStore } from './state-store.ts';

/**
 * Scripts are atomic, in memory as in the append-only file. KEYS: the log (a stream, whose ids are positions), positions by id
 * (a hash), the last position.
 */
const appendScript = `
local new = {}
for i = 1, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 1 then
    new[#new + 1] = 0
  else
    local position = redis.call('INCR', KEYS[3])
    redis.call('XADD', KEYS[1], position .. '-0', 'id', ARGV[i], 'content', ARGV[i + 1])
    redis.call('HSET', KEYS[2], ARGV[i], position)
    new[#new + 1] = 1
  end
end
return new`;

/** @see appendScript; ARGV: a position, and how many entries at most. */
const forgetScript = `
local entries = redis.call('XRANGE', KEYS[1], '-', ARGV[1] .. '-0', 'COUNT', ARGV[2])
for _, entry in ipairs(entries) do
  redis.call('XDEL', KEYS[1], entry[1])
  redis.call('HDEL', KEYS[2], entry[2][2])
end
return #entries`;

/** Entries that are forgotten in one script, which nobody else interrupts. */
const forgottenAtOnce = 1000;

const isNew = z.array(z.number());
const bytes = z.instanceof(Buffer);
const rows = z.array(z.tuple([bytes, z.tuple([bytes, bytes, bytes, bytes])]));

/** Replies of bytes, not of text. */
const binary = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

type Client = ReturnType<typeof clientOf>;

function clientOf(url: string) {
  return createClient({
    url,
    // A service that cannot write says so at once; what it promised later would be lost with it.
    disableOfflineQueue: true,
    socket: { connectTimeout: 5000, reconnectStrategy: (tries) => Math.min(50 * 2 ** tries, 2000) },
  });
}

export class RedisStore implements StateStore {
  readonly #client: Client;
  readonly #prefix: string;
  readonly #keys: readonly string[];

  private constructor(client: Client, prefix: string) {
    this.#client = client;
    // In a cluster all keys lie in one slot.
    this.#prefix = `{${prefix}}`;
    this.#keys = ['log', 'ids', 'position'].map((name) => `${this.#prefix}:${name}`);
  }

  /**
   * @param url as Redis has it; `?prefix=shop` tells several services in one Redis apart
   * @throws CourierError STATE_UNAVAILABLE where nobody answers; CONFIG_INVALID where it would lose what it acknowledged
   */
  static async open(url: string): Promise<RedisStore> {
    const parsed = new URL(url);
    const prefix = parsed.searchParams.get('prefix') ?? 'courier';
    parsed.search = '';
    const client = clientOf(parsed.href);
    // Whoever asks next is told; without a listener the process would end.
    client.on('error', () => {});
    try {
      await once(client);
      await requireDurable(client, parsed.host);
    } catch (error) {
      client.destroy();
      throw error;
    }
    return new RedisStore(client, prefix);
  }

  async append(entries: readonly LogEntry[]): Promise<readonly boolean[]> {
    if (entries.length === 0) return [];
    const values = entries.flatMap(({ id, content }) => [id, Buffer.from(content)]);
    const reply = await this.#run(['EVAL', appendScript, '3', ...this.#keys, ...values]);
    return isNew.parse(reply).map((each) => each === 1);
  }

  async read(behind: number, most: number): Promise<readonly KeptEntry[]> {
    const [log = ''] = this.#keys;
    const reply = await this.#run(['XRANGE', log, `${behind + 1}-0`, '+', 'COUNT', `${most}`]);
    return rows.parse(reply).map(([position, [, id, , content]]) => ({
      position: Number(position.toString().split('-')[0]),
      id: id.toString(),
      content: new Uint8Array(content),
    }));
  }

  async forget(through: number): Promise<void> {
    const words = ['EVAL', forgetScript, '3', ...this.#keys, `${through}`, `${forgottenAtOnce}`];
    while (z.number().parse(await this.#run(words)) === forgottenAtOnce);
  }

  async keep(name: string, content: Uint8Array): Promise<void> {
    await this.#run(['SET', this.#blob(name), Buffer.from(content)]);
  }

  async kept(name: string): Promise<Uint8Array | null> {
    const reply = bytes.nullable().parse(await this.#run(['GET', this.#blob(name)]));
    return reply === null ? null : new Uint8Array(reply);
  }

  async close(): Promise<void> {
    if (this.#client.isReady) await this.#client.close();
    else this.#client.destroy();
  }

  #blob(name: string): string {
    return `${this.#prefix}:blob:${name}`;
  }

  async #run(words: (string | Buffer)[]): Promise<unknown> {
    try {
      return await this.#client.sendCommand(words, binary);
    } catch (error) {
      throw unavailable(error);
    }
  }
}

/** The first connection: an address at which nobody answers is the user's error, not something to wait for. */
async function once(client: Client): Promise<void> {
  let failed: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    failed = (error) => reject(unavailable(error));
  });
  client.once('error', failed);
  await Promise.race([client.connect(), failure]);
  client.off('error', failed);
}

/** @throws CourierError CONFIG_INVALID unless what Redis acknowledges is on its disk */
async function requireDurable(client: Client, host: string): Promise<void> {
  const values = await client.configGet(['appendonly', 'appendfsync']).catch((error: unknown) => {
    throw unavailable(error);
  });
  if (values['appendonly'] === 'yes' && values['appendfsync'] === 'always') return;
  throw new CourierError(
    'CONFIG_INVALID',
    `Redis at ${host} may lose what it has acknowledged: appendonly is ${values['appendonly']}, appendfsync ${values['appendfsync']}.`,
    'Start it with --appendonly yes --appendfsync always.',
  );
}

function unavailable(error: unknown): CourierError {
  return new CourierError(
    'STATE_UNAVAILABLE',
    `The state in Redis cannot be reached: ${messageOf(error)}`,
    'Check that Redis runs and its address; then send the same again, under the same ids.',
    { cause: error },
  );
}
