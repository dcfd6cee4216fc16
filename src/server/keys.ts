/** Who may ask: keys that are kept as hashes, in a file that may change while the server runs. */
import { createHash, randomBytes } from 'node:crypto';
import { unwatchFile, watchFile } from 'node:fs';
import { z } from 'zod';
import { distinct, parseConfig } from '../config.ts';
import { CourierError } from '../errors.ts';
import { exists, readInput, writeJson } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';
import { scopes } from './endpoints.ts';

const storedKey = z.strictObject({
  /** By which it is known in logs, and revoked. */
  name: z.string().min(1).max(100),
  /** SHA-256 of the key: it has 256 random bits, so that nothing slower is called for. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  scopes: distinct(z.array(z.enum(scopes)).min(1)),
  created: z.iso.datetime(),
});
export type StoredKey = z.output<typeof storedKey>;

const keysFile = z.strictObject({ keys: z.array(storedKey).max(10_000) });

/** Characters before the random ones, by which scanners of secrets know it. */
const prefix = 'courier_';

/** Milliseconds from one look at the file to the next. */
const interval = 1000;

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE, CONFIG_INVALID */
async function readKeys(path: string): Promise<readonly StoredKey[]> {
  const text = (await readInput(path, 'Keys')).toString('utf8');
  return parseConfig(keysFile, parseJson(text), `keys in ${path}`).keys;
}

/**
 * Makes a key and puts its hash into a file, which is made where it is not there.
 * @returns the key, which nobody can tell afterwards
 * @throws CourierError OUTPUT_EXISTS where the name is taken; CONFIG_INVALID, OUTPUT_NOT_WRITABLE
 */
export async function createKey(
  path: string,
  { name, scopes }: Pick<StoredKey, 'name' | 'scopes'>,
): Promise<string> {
  const keys = (await exists(path)) ? await readKeys(path) : [];
  if (keys.some((each) => each.name === name))
    throw new CourierError(
      'OUTPUT_EXISTS',
      `There is a key ${name} already.`,
      'Choose another name; revoke the old key when nobody uses it any more.',
    );
  const key = `${prefix}${randomBytes(32).toString('base64url')}`;
  const stored = { name, hash: hashOf(key), scopes, created: new Date().toISOString() };
  await writeJson(path, parseConfig(keysFile, { keys: [...keys, stored] }, 'key'));
  return key;
}

/** Takes a key out of a file. @throws CourierError VALUE_INVALID where there is none of the name */
export async function revokeKey(path: string, name: string): Promise<void> {
  const keys = await readKeys(path);
  const left = keys.filter((each) => each.name !== name);
  if (left.length === keys.length)
    throw new CourierError(
      'VALUE_INVALID',
      `There is no key ${name}.`,
      `Keys are: ${keys.map((each) => each.name).join(', ')}.`,
    );
  await writeJson(path, { keys: left });
}

/** The keys of a file as it is now. */
export class Keyring {
  readonly #path: string;
  readonly #complain: (error: unknown) => void;
  #byHash: ReadonlyMap<string, StoredKey> = new Map();
  readonly #look = () => void this.reload().catch((error: unknown) => this.#complain(error));

  private constructor(path: string, complain: (error: unknown) => void) {
    this.#path = path;
    this.#complain = complain;
  }

  /**
   * Reads the file, and again whenever it has changed.
   * @param complain is told of a change that cannot be read; what was known stays
   * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE, CONFIG_INVALID
   */
  static async open(path: string, complain: (error: unknown) => void): Promise<Keyring> {
    const ring = new Keyring(path, complain);
    await ring.reload();
    watchFile(path, { interval, persistent: false }, ring.#look);
    return ring;
  }

  /** Reads the file now. */
  async reload(): Promise<void> {
    const keys = await readKeys(this.#path);
    this.#byHash = new Map(keys.map((key) => [key.hash, key]));
  }

  /** The key of an `Authorization` header. Looked up by its hash, which tells no timing of the key. */
  find(header: string | undefined): StoredKey | null {
    const [, key] = /^Bearer ([\w-]{1,200})$/i.exec(header ?? '') ?? [];
    return key === undefined ? null : (this.#byHash.get(hashOf(key)) ?? null);
  }

  close(): void {
    unwatchFile(this.#path, this.#look);
  }
}
