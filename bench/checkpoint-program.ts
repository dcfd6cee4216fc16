/** One thing done with a large checkpoint in a process of its own, whose peak is then its own. */

import { loadCheckpoint, saveCheckpoint } from '../src/graph/checkpoint.ts';
import { layoutOf, zeros } from '../src/graph/parameters.ts';
import { parameter } from '../src/graph/tensor.ts';
import { hashFile } from '../src/storage/files.ts';
import { readSafeTensors } from '../src/storage/safetensors.ts';

const [action = '', path = ''] = process.argv.slice(2);

/** 768 MiB a vector, in matrices of 64 MiB. */
const layout = layoutOf(
  Array.from({ length: 12 }, (_, index) => parameter(`layer.${index}.weight`, [4096, 4096], zeros)),
);
/** What AdamW keeps, and the best parameters so far. */
const vectors = ['parameters', 'mean', 'square', 'best'];

/** Prepares an action, so that nothing but the work itself is timed. */
const actions: Readonly<Record<string, () => () => Promise<unknown>>> = {
  write: () => {
    const values = vectors.map((name, index) => [name, new Float32Array(layout.size).fill(index + 0.1)]);
    const checkpoint = { step: 1, vectors: Object.fromEntries(values), arrays: {}, progress: null };
    return () => saveCheckpoint(path, 'bench', layout, checkpoint);
  },
  hash: () => () => hashFile(path),
  read: () => () => readSafeTensors(path, 'Checkpoint'),
  resume: () => () => loadCheckpoint(path, 'bench', layout, vectors),
};

const work = actions[action]?.();
if (work === undefined) throw new Error(`no action ${action}`);
const start = performance.now();
await work();
const seconds = (performance.now() - start) / 1000;
const peak = process.resourceUsage().maxRSS * 1024;
process.stdout.write(JSON.stringify({ seconds, peak }));
