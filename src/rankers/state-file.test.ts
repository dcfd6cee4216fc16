import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { Random } from '../random.ts';
import { readSafeTensors, type SafeTensors, writeSafeTensors } from '../storage/safetensors.ts';
import { EmbeddingTable } from './embedding-table.ts';
import type { RankerState } from './model.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';
import { decodeState, encodeState } from './state-file.ts';

const [rows, dimension, lookups] = [500, 4, 40];

function tableOf(name: keyof typeof sparseOptimizers) {
  const optimizer = sparseOptimizers[name];
  const options = { rows, dimension, lookups, optimizer, learningRate: 0.1, decay: 0.01 };
  return new EmbeddingTable(options, Random.seeded(1, 'table'));
}

/** The same updates for the same numbers. */
function train(table: EmbeddingTable, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    const random = Random.seeded(step, 'steps');
    const own = Int32Array.from({ length: lookups }, () => random.integer(rows));
    table.update(
      table.prepareUpdate(own),
      Float32Array.from({ length: lookups * dimension }, () => random.normal()),
    );
  }
}

function stateOf(table: EmbeddingTable): RankerState {
  const layout = { places: [{ name: 'weight', shape: [1, 2], offset: 0, size: 2 }], size: 2 };
  const vectors = { parameters: Float32Array.of(1, 2), slot: Float32Array.of(3, 4) };
  return { layout, vectors, step: 7, table: table.state() };
}

/** To a file and back. */
async function throughFile(content: SafeTensors): Promise<SafeTensors> {
  const path = join(await temporaryFolder(), 'state.safetensors');
  await writeSafeTensors(path, content);
  return readSafeTensors(path, 'State');
}

describe('the state of a ranker in a file', () => {
  it.each(['adagrad', 'adam'] as const)('lets a table train on with %s to the same bits', async (name) => {
    const [whole, stopped, resumed] = [tableOf(name), tableOf(name), tableOf(name)];
    train(whole, 0, 8);
    train(stopped, 0, 4);
    const state = stateOf(stopped);
    const read = decodeState('state', await throughFile(encodeState('state', state)), 'file');
    expect(read).toEqual(state);
    resumed.restore(read.table);
    train(resumed, 4, 8);
    expect(resumed.state()).toEqual(whole.state());
    expect(resumed.state()).not.toEqual(stopped.state());
  });

  it('is told from another one in the same file, and may hold a table that was never used', async () => {
    const [one, other] = [stateOf(tableOf('adam')), stateOf(tableOf('adagrad'))];
    const parts = [encodeState('one', one), encodeState('other', other)];
    const file = await throughFile({
      metadata: Object.assign({}, ...parts.map(({ metadata }) => metadata)),
      tensors: new Map(parts.flatMap(({ tensors }) => [...tensors])),
    });
    expect(decodeState('one', file, 'file')).toEqual(one);
    expect(decodeState('other', file, 'file')).toEqual(other);
  });

  it('is refused where a part is missing or not whole, or names rows that cannot be', () => {
    const table = tableOf('adam');
    train(table, 0, 1);
    const good = encodeState('state', stateOf(table));
    const [first] = table.state().rows;
    const broken: Readonly<Record<string, Float32Array | Int32Array | null>> = {
      'vectors/parameters': null,
      'vectors/slot': new Float32Array(3),
      'table/rows': table.state().rows.fill(first!),
      'table/values': table.state().memory.subarray(1),
      'table/current': table.state().rows.map(() => 2),
    };
    for (const [name, data] of Object.entries(broken)) {
      const tensors = new Map(good.tensors);
      if (data === null) tensors.delete(`state/${name}`);
      else tensors.set(`state/${name}`, { shape: [data.length], data });
      const file = { ...good, tensors };
      const corrupt = expect.objectContaining({ code: 'FILE_CORRUPT' });
      expect(() => decodeState('state', file, 'file'), name).toThrow(corrupt);
    }
    const nameless = { ...good, metadata: {} };
    expect(() => decodeState('state', nameless, 'file')).toThrow(/does not describe its state/);
  });
});
