import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leftoversOf } from '../../../test/support/artefacts.ts';
import { hasMpi, mpirun, underMpi } from '../../../test/support/mpi.ts';
import { courier } from '../../../test/support/terminal.ts';
import { tinyDataset } from '../../../test/support/tiny-dataset.ts';
import { exportUntrainedEncoder } from '../../encoders/export.ts';
import { createEncoder } from '../../encoders/index.ts';
import { Random } from '../../random.ts';

const bin = fileURLToPath(new URL('../../cli/bin.ts', import.meta.url));

describe.skipIf(!hasMpi)(`embed ${underMpi}`, () => {
  let folder: string;
  let dataset: string;
  let encoder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    encoder = join(folder, 'encoder.onnx');
    const settings = {
      side: 16,
      patch: 4,
      width: 16,
      depth: 1,
      heads: 2,
      mlpRatio: 2,
      dimension: 8,
    } as const;
    const built = createEncoder({ ...settings, name: 'vit', head: 'mean' });
    const model = exportUntrainedEncoder(built, Random.seeded(1, 'parameters'));
    await writeFile(encoder, model.encode('standard'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** What an embedding told, without what differs between any two. */
  function told({ seconds: _, ...rest }: Record<string, unknown>, out: string) {
    return JSON.parse(JSON.stringify(rest).replaceAll(dirname(out), 'OUT'));
  }

  async function embedTogether(processes: number, words: readonly string[], out: string) {
    const { exitCode, stdout, stderr } = await mpirun(processes, [
      bin,
      'embed',
      '--json',
      ...words,
      '--out',
      out,
    ]);
    expect([exitCode, stderr]).toEqual([0, expect.anything()]);
    return told(JSON.parse(stdout), out);
  }

  async function embedAlone(words: readonly string[], out: string) {
    const { json } = await courier('embed', '--json', ...words, '--out', out);
    return told(json, out);
  }

  it('of four processes writes exactly the files that one writes, and tells the same', async () => {
    const words = ['--dataset', dataset, '--encoder', encoder, '--npy', '--sizes', '4-int8'];
    const [one, four] = [join(folder, 'one'), join(folder, 'four')];
    const alone = await embedAlone(words, join(one, 'e.parquet'));
    expect(await embedTogether(4, words, join(four, 'e.parquet'))).toEqual(alone);
    expect((await readdir(four)).sort()).toEqual((await readdir(one)).sort());
    for (const name of await readdir(one))
      expect((await readFile(join(four, name))).equals(await readFile(join(one, name))), name).toBe(true);
  });

  it('of two takes over what is there, counts photos that cannot be used, and leaves nothing else', async () => {
    const photos = join(folder, 'photos');
    await cp(join(folder, 'shop', 'images'), photos, { recursive: true });
    const [first, ...others] = (await readdir(photos)).sort();
    const words = ['--photos', photos, '--encoder', encoder];
    const own = join(folder, 'rest');
    await cp(photos, own, { recursive: true });
    for (const name of others.slice(0, 30)) await rm(join(own, name));
    const [one, two] = [join(folder, 'alone', 'e.parquet'), join(folder, 'two', 'e.parquet')];
    for (const out of [one, two]) await embedAlone(['--photos', own, '--encoder', encoder], out);
    await cp(join(photos, first!), join(photos, 'same.jpg'));
    await writeFile(join(photos, 'broken.jpg'), 'no photo');
    const alone = await embedAlone(words, one);
    expect(alone).toMatchObject({ encoded: 30, failed: 1 });
    expect(await embedTogether(2, words, two)).toEqual(alone);
    expect((await readFile(two)).equals(await readFile(one))).toBe(true);
    expect(await leftoversOf(join(folder, 'two'))).toEqual([]);
  });

  it('in 8 bits of two processes is what it is of one', async () => {
    const words = ['--dataset', dataset, '--encoder', encoder, '--precision', 'int8'];
    const [one, two] = [join(folder, 'int8-alone', 'e.parquet'), join(folder, 'int8-two', 'e.parquet')];
    await embedAlone(words, one);
    await embedTogether(2, words, two);
    expect((await readFile(two)).equals(await readFile(one))).toBe(true);
  });
});
