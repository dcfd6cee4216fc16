import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artefactsOf } from '../../../test/support/artefacts.ts';
import { hasMpi, mpirun, underMpi } from '../../../test/support/mpi.ts';
import { type ShopFiles, shopSource } from '../../shop/files.ts';
import { generateShop } from '../../shop/generate.ts';
import type { IngestConfigInput } from './config.ts';

const bin = fileURLToPath(new URL('../../cli/bin.ts', import.meta.url));

describe.skipIf(!hasMpi)(`ingest ${underMpi}`, () => {
  let folder: string;
  let files: ShopFiles;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    const shop = join(folder, 'shop');
    files = await generateShop({ items: 600, shoppers: 12, pageViews: 240, photoSide: 16, out: shop });
    const [first, second, third] = (await readdir(files.images)).sort();
    await copyFile(join(files.images, first!), join(files.images, second!));
    await writeFile(join(files.images, third!), 'no photo');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function ingested(processes: number, name: string, settings: Partial<IngestConfigInput>) {
    const out = join(folder, name);
    const config = join(folder, `${name}.json`);
    await writeFile(config, JSON.stringify({ ...shopSource(files), side: 16, ...settings, out }));
    const { exitCode, stdout, stderr } = await mpirun(processes, [
      bin,
      'ingest',
      '--json',
      '--config',
      config,
    ]);
    expect([exitCode, stderr]).toEqual([0, expect.anything()]);
    return { told: JSON.parse(stdout.replaceAll(out, 'OUT')), made: await artefactsOf(out) };
  }

  it.each(['pixels', 'jpeg'] as const)(
    'of four processes writes the dataset that one writes, of photos as %s, and tells the same',
    async (photosAs) => {
      const one = await ingested(1, `${photosAs}-one`, { photosAs });
      const four = await ingested(4, `${photosAs}-four`, { photosAs });
      expect(four).toEqual(one);
      expect(JSON.stringify(one.told)).toContain('stored once');
    },
  );
});
