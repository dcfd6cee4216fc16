/** What came of an experiment, in files as `courier experiment report` reads them: JSON Lines, a row on the disk before it is acknowledged. */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { asOutputError } from '../storage/files.ts';

const kinds = ['exposures', 'clicks', 'orders'] as const;
type Kind = (typeof kinds)[number];

/** Rows of each file, by the names of its columns. */
export type Outcomes = Readonly<Record<Kind, readonly Readonly<Record<string, string | number | null>>[]>>;

/** Bytes that are looked through for the last whole row. */
const tailBytes = 64 * 1024;

export class OutcomeFiles {
  readonly #files: ReadonlyMap<Kind, FileHandle>;
  /** Rows are written one call after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(files: ReadonlyMap<Kind, FileHandle>) {
    this.#files = files;
  }

  /**
   * Opens a file for each kind, `folder/<kind>/<machine>-<process>.jsonl`, so that replicas may share the folder.
   * @throws CourierError OUTPUT_NOT_WRITABLE
   */
  static async open(folder: string): Promise<OutcomeFiles> {
    const files = new Map<Kind, FileHandle>();
    try {
      for (const kind of kinds) {
        await mkdir(join(folder, kind), { recursive: true });
        const name = `${hostname().replaceAll(/[^\w.-]/g, '_')}-${process.pid}.jsonl`;
        const file = await open(join(folder, kind, name), 'a+');
        files.set(kind, file);
        await cutTorn(file);
      }
      return new OutcomeFiles(files);
    } catch (error) {
      for (const file of files.values()) await file.close();
      throw asOutputError(error, folder);
    }
  }

  /** Resolves when all rows are on the disk. */
  append(outcomes: Outcomes): Promise<void> {
    const done = this.#last.then(() => this.#write(outcomes));
    this.#last = done.catch(() => {});
    return done;
  }

  async close(): Promise<void> {
    await this.#last;
    for (const file of this.#files.values()) await file.close();
  }

  async #write(outcomes: Outcomes): Promise<void> {
    for (const [kind, file] of this.#files) {
      const rows = outcomes[kind];
      if (rows.length === 0) continue;
      const { size } = await file.stat();
      try {
        await file.appendFile(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
        await file.datasync();
      } catch (error) {
        // Part of a row would make the file unreadable.
        await file.truncate(size).catch(() => {});
        throw error;
      }
    }
  }
}

/** What a killed process of the same name left of a row was never acknowledged. */
async function cutTorn(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const from = Math.max(0, size - tailBytes);
  const tail = Buffer.alloc(size - from);
  await file.read(tail, 0, tail.length, from);
  const end = from + tail.lastIndexOf('\n') + 1;
  if (end < size) await file.truncate(end);
}
