/** Image models as others export them, opened as backbones, against what ONNX Runtime makes of the same files in Python. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { openBackbone } from '../src/backbones/backbone.ts';
import { messageOf } from '../src/errors.ts';
import { Random } from '../src/random.ts';
import { Engine, floats } from '../src/runtime/engine.ts';
import type { Benchmark } from './benchmark.ts';
import { Peer } from './peer.ts';

const [side, count] = [64, 4] as const;

const answer = z.object({
  cases: z.array(
    z.object({
      name: z.string(),
      file: z.string(),
      features: z.string().optional(),
      error: z.string().optional(),
    }),
  ),
});
type Case = z.infer<typeof answer>['cases'][number];

/** Says a line a file: the largest difference of a feature, and the largest feature; or why it is refused. */
export const backbones: Benchmark = async ({ only, say }) => {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const engine = Engine.start();
  try {
    const random = Random.seeded(1, 'bench');
    const photos = Uint8Array.from({ length: count * side * side * 3 }, () => random.integer(256));
    const path = join(folder, 'photos');
    await writeFile(path, photos);
    const peer = await Peer.start('pytorch', 'backbones.py', { folder, photos: path, only });
    if (peer === null) return { rows: [], missing: ['pytorch'] };
    const { cases } = await peer.answer(answer);
    peer.stop();
    for (const each of cases) say(`${each.name}: ${await compare(each, photos, engine)}`);
    return { rows: [], missing: [] };
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
};

async function compare({ file, features, error }: Case, photos: Uint8Array, engine: Engine): Promise<string> {
  if (features === undefined) return `not made (${error})`;
  try {
    const backbone = await openBackbone({ file }, side);
    const session = await engine.load(backbone.model);
    const ours = floats(await session.run({ photos }), 'features');
    await session.release();
    const bytes = await readFile(features);
    const theirs = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    if (ours.length !== theirs.length) return `WRONG, ${ours.length} numbers instead of ${theirs.length}`;
    const largest = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const difference = theirs.reduce((most, value, at) => Math.max(most, Math.abs(value - ours[at]!)), 0);
    const way = backbone.understood.some((text) => text.includes('one after the other'))
      ? ', one by one'
      : '';
    return `works, difference ${difference.toExponential(1)} of ${largest.toPrecision(3)}${way}`;
  } catch (refusal) {
    return `refused (${messageOf(refusal)})`;
  }
}
