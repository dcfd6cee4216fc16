import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { decodeSafeTensors, encodeSafeTensors, readSafeTensors } from '../storage/safetensors.ts';
import { EmbeddingTable } from './embedding-table.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';
import { loadTable, saveTable } from './table-file.ts';

const [rows, dimension, lookups] = [500, 4, 40];

function tableOf(name: 'adagrad' | 'adam') {
  const optimizer = sparseOptimizers[name];
  const options = { rows, dimension, optimizer, learningRate: 0.1, decay: 0.01 };
  return new EmbeddingTable(options, Random.seeded(1, 'table'));
}

/** The same updates for the same numbers. */
function train(table: EmbeddingTable, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    const random = Random.seeded(step, 'steps');
    const own = Int32Array.from({ length: lookups }, () => random.integer(rows));
    table.update(
      own,
      Float32Array.from({ length: lookups * dimension }, () => random.normal()),
    );
  }
}

describe('an embedding table in a file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-table-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(['adagrad', 'adam'] as const)('trains on with %s to the same bytes', async (name) => {
    const [whole, stopped, resumed] = [tableOf(name), tableOf(name), tableOf(name)];
    train(whole, 0, 4);
    train(whole, 4, 8);
    train(stopped, 0, 4);
    const [first, second] = [join(folder, `${name}-4`), join(folder, `${name}-8`)];
    await saveTable(first, stopped.state());
    resumed.restore(await loadTable(first));
    train(resumed, 4, 8);
    await saveTable(second, resumed.state());
    await saveTable(join(folder, name), whole.state());
    expect(await readFile(second)).toEqual(await readFile(join(folder, name)));
    expect(await readFile(second)).not.toEqual(await readFile(first));
  });

  it('is a safetensors file that others read', async () => {
    const table = tableOf('adam');
    train(table, 0, 1);
    const state = table.state();
    const path = join(folder, 'table.safetensors');
    await saveTable(path, state);
    const { tensors, metadata } = await readSafeTensors(path, 'Table');
    expect(tensors.get('rows')).toEqual({ shape: [state.rows.length], data: state.rows });
    expect(tensors.get('table')).toEqual({ shape: [state.rows.length, 3, dimension], data: state.memory });
    expect(tensors.get('current')).toEqual({ shape: [state.rows.length], data: state.current });
    expect(metadata).toMatchObject({ optimizer: 'adam', step: '1' });
  });

  it('may hold a table that was never used', async () => {
    const path = join(folder, 'empty');
    await saveTable(path, tableOf('adam').state());
    expect(await loadTable(path)).toEqual(tableOf('adam').state());
  });

  it('is refused when it is missing, cut, altered, or names rows that cannot be', async () => {
    const path = join(folder, 'broken');
    await expect(loadTable(path)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    const table = tableOf('adagrad');
    train(table, 0, 1);
    await saveTable(path, table.state());
    const good = await readFile(path);
    const content = decodeSafeTensors(good);
    const [first] = table.state().rows;
    const twice = new Map(content.tensors);
    twice.set('rows', { shape: twice.get('rows')!.shape, data: table.state().rows.fill(first!) });
    const broken = [
      Buffer.alloc(0),
      good.subarray(0, 100),
      good.subarray(0, good.length - 1),
      Buffer.concat([good, Buffer.alloc(1)]),
      good.with(good.length - 5, good[good.length - 5]! ^ 1),
      Buffer.concat([Buffer.alloc(8, 255), good.subarray(8)]),
      Buffer.from(good.toString('latin1').replace('adagrad', 'sgd    '), 'latin1'),
      Buffer.from(good.toString('latin1').replace('adagrad', 'adam"  '), 'latin1'),
      encodeSafeTensors({ ...content, tensors: twice }),
      encodeSafeTensors({ ...content, tensors: new Map() }),
    ];
    for (const bytes of broken) {
      await writeFile(path, bytes);
      await expect(loadTable(path)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    }
  });
});
