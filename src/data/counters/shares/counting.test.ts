import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { countedLog, countedParts } from '../../../../test/support/counted-log.ts';
import { hasMpi, mpirun, underMpi } from '../../../../test/support/mpi.ts';
import { BaseFeatures } from '../base-features.ts';
import { columnMemory } from './column-memory.ts';
import { countHere } from './counting.ts';

const program = fileURLToPath(new URL('../../../../test/support/counting-program.ts', import.meta.url));

describe('counting in threads', () => {
  it('ends with the error of a thread, and closes', async () => {
    const log = countedLog();
    // An item that its categories do not know.
    const item = log.item.slice();
    item[5] = 1000;
    const counting = countHere({ ...log, item }, { from: 0, to: 2, of: 2 });
    const columns = columnMemory(100)(600);
    await expect(counting.fill({ from: 0, to: 300 }, columns)).rejects.toThrow('item 1000 has no code');
    await expect(counting.fill({ from: 0, to: 300 }, columns)).rejects.toThrow('item 1000 has no code');
    await counting.close();
  });

  it.each([1, 2])('stops when it is asked to, with %i threads', async (threads) => {
    const counting = countHere(countedLog(), { from: 0, to: threads, of: threads });
    const stopped = AbortSignal.abort(new Error('stopped'));
    const columns = columnMemory(100)(600);
    await expect(counting.fill({ from: 0, to: 300 }, columns, stopped)).rejects.toThrow('stopped');
    await counting.close();
  });
});

describe.skipIf(!hasMpi)(`counting ${underMpi}`, () => {
  it.each([2, 3])(
    'by %i processes gives the bits of one, in parts of which one is empty',
    async (processes) => {
      const features = new BaseFeatures({ ...countedLog(), numeric: [] });
      const columns: number[][] = features.names.map(() => []);
      for await (const part of features.columnsOf(countedParts))
        for (const [column, values] of part.entries()) columns[column]!.push(...values);
      const { stdout, stderr, exitCode } = await mpirun(processes, [program]);
      expect([exitCode, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toEqual(columns);
    },
  );
});
