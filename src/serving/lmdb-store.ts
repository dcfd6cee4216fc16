/** State in a file of this machine: LMDB, which several processes may have open. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { asOutputError } from '../storage/files.ts';
import type { KeptEntry, LogEntry, StateStore } from './state-store.ts';

interface Kept {
  readonly id: string;
  readonly content: Uint8Array;
}

export class LmdbStore implements StateStore {
  readonly #root: RootDatabase;
  /** By position. */
  readonly #log: Database<Kept, number>;
  /** Positions by id. */
  readonly #ids: Database<number, string>;
  readonly #blobs: Database<Uint8Array, string>;

  private constructor(root: RootDatabase) {
    this.#root = root;
    this.#log = root.openDB<Kept, number>({ name: 'log', encoding: 'msgpack' });
    this.#ids = root.openDB<number, string>({ name: 'ids', encoding: 'msgpack' });
    this.#blobs = root.openDB<Uint8Array, string>({ name: 'blobs', encoding: 'binary' });
  }

  /** @param path of its file, made where it is not there @throws CourierError OUTPUT_NOT_WRITABLE */
  static async open(path: string): Promise<LmdbStore> {
    try {
      await mkdir(dirname(path), { recursive: true });
      // A write is acknowledged when it is on the disk, not when others can see it.
      return new LmdbStore(open({ path, noSubdir: true, overlappingSync: false }));
    } catch (error) {
      throw asOutputError(error, path);
    }
  }

  append(entries: readonly LogEntry[]): Promise<readonly boolean[]> {
    return this.#root.transaction(() => {
      let last = this.#last();
      return entries.map(({ id, content }) => {
        if (this.#ids.doesExist(id)) return false;
        last += 1;
        this.#log.put(last, { id, content });
        this.#ids.put(id, last);
        return true;
      });
    });
  }

  async read(behind: number, most: number): Promise<readonly KeptEntry[]> {
    const found: KeptEntry[] = [];
    for (const { key: position, value } of this.#log.getRange({ start: behind + 1, limit: most }))
      found.push({ position, id: value.id, content: new Uint8Array(value.content) });
    return found;
  }

  async forget(through: number): Promise<void> {
    await this.#root.transaction(() => {
      const last = this.#last();
      for (const { key, value } of [...this.#log.getRange({ start: 1, end: through + 1 })]) {
        // Positions go on from the last entry, which therefore stays.
        if (key === last) break;
        this.#log.remove(key);
        this.#ids.remove(value.id);
      }
    });
  }

  async keep(name: string, bytes: Uint8Array): Promise<void> {
    await this.#blobs.put(name, bytes);
  }

  async kept(name: string): Promise<Uint8Array | null> {
    const bytes = this.#blobs.get(name);
    return bytes === undefined ? null : new Uint8Array(bytes);
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  #last(): number {
    for (const key of this.#log.getKeys({ reverse: true, limit: 1 })) return key;
    return 0;
  }
}
