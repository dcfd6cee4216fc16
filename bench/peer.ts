/** A peer: a program that answers each line of its input with a line of JSON, and waits in between. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const folder = fileURLToPath(new URL('./peers/', import.meta.url));
const python = `${folder}.venv/bin/python`;
const oldRuntime = `${folder}.venv-onnxruntime/bin/python`;

/** Without importing it, which would take seconds. */
function hasModule(name: string): boolean {
  const find = `import importlib.util, sys; sys.exit(importlib.util.find_spec("${name}") is None)`;
  return spawnSync(python, ['-c', find]).status === 0;
}

function hasPackage(name: string): boolean {
  return existsSync(`${folder}node_modules/${name}`);
}

export const peerRuntimes = {
  pytorch: { program: python, installed: () => existsSync(python) },
  faiss: { program: python, installed: () => hasModule('faiss') },
  lightgbm: { program: python, installed: () => hasModule('lightgbm') },
  fuxictr: { program: python, installed: () => hasModule('fuxictr') },
  usearch: { program: python, installed: () => hasModule('usearch') },
  hnswlib: { program: python, installed: () => hasModule('hnswlib') },
  qdrant: { program: python, installed: () => hasModule('qdrant_client') },
  milvus: { program: python, installed: () => hasModule('milvus_lite') },
  'onnxruntime 1.17': { program: oldRuntime, installed: () => existsSync(oldRuntime) },
  pgvector: { program: process.execPath, installed: () => hasPackage('@electric-sql/pglite-pgvector') },
  'transformers.js': { program: process.execPath, installed: () => hasPackage('@huggingface/transformers') },
} as const;

export class Peer {
  readonly #child: ReturnType<typeof spawn>;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ReturnType<typeof spawn>, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  /**
   * Starts a script of `peers/` and waits until it is ready.
   * @returns null where its runtime is not installed
   */
  static async start(
    runtime: keyof typeof peerRuntimes,
    script: string,
    settings: unknown,
  ): Promise<Peer | null> {
    const { program, installed } = peerRuntimes[runtime];
    if (!installed()) return null;
    const child = spawn(program, [script, JSON.stringify(settings)], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const peer = new Peer(child, lines);
    await peer.#read(z.object({ ready: z.literal(true) }));
    return peer;
  }

  /** Has it do its work once. @returns the seconds that it took */
  async round(): Promise<number> {
    return (await this.answer(z.object({ seconds: z.number().positive() }))).seconds;
  }

  /** Has it do its work once. @returns all that it says about it */
  answer<T>(schema: z.ZodType<T>): Promise<T> {
    this.#child.stdin?.write('\n');
    return this.#read(schema);
  }

  stop(): void {
    this.#child.kill();
  }

  async #read<T>(schema: z.ZodType<T>): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the peer ended before it answered; see above');
    return schema.parse(JSON.parse(value));
  }
}
