import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { MetricsLog, numberOf, readMetrics } from './metrics-log.ts';

describe('a metrics log', () => {
  it('loses what was written after the step from which a run goes on, and the line that was cut off', async () => {
    const path = join(await temporaryFolder(), 'metrics.jsonl');
    const log = await MetricsLog.open(path, 0);
    for (const step of [1, 2, 3]) await log.append({ step, loss: 4 - step });
    await appendFile(path, '{"step":4,"lo');
    expect((await readMetrics(path)).map(({ step }) => step)).toEqual([1, 2, 3]);
    await MetricsLog.open(path, 2);
    expect(await readFile(path, 'utf8')).toBe('{"step":1,"loss":3}\n{"step":2,"loss":2}\n');
  });

  it('is empty where there is none, and a number that is missing counts as 0', async () => {
    const path = join(await temporaryFolder(), 'metrics.jsonl');
    expect(await readMetrics(path)).toEqual([]);
    await writeFile(path, '{"step":1,"loss":"high"}\n');
    const [record] = await readMetrics(path);
    expect([numberOf(record, 'loss'), numberOf(record, 'seconds'), numberOf(undefined, 'loss')]).toEqual([
      0, 0, 0,
    ]);
  });
});
