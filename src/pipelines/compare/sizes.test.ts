import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../../test/support/measured.ts';
import { tinyDataset, tinyPretraining } from '../../../test/support/tiny-dataset.ts';
import { atSize, sizeOf } from '../../data/embeddings/embedding-size.ts';
import { readEmbeddings, writeEmbeddings } from '../../data/embeddings/embeddings.ts';
import type { ProgressEvent } from '../../progress.ts';
import { headlineRow } from '../../report/headline.ts';
import { reportMarkdown } from '../../report/markdown.ts';
import { reportPage } from '../../report/page.ts';
import { terminalSizes } from '../../report/sizes.ts';
import { readMetrics } from '../../runs/metrics-log.ts';
import type { CompareConfigInput } from './config.ts';
import { compare, planComparison } from './index.ts';

describe('sizes of a comparison', () => {
  let folder: string;
  let dataset: string;
  const settings = {
    sources: ['courier', 'hog'],
    seeds: [1],
    starts: ['warm'],
    pretrain: { ...tinyPretraining, steps: 4, prefixes: [4] },
    choices: [{}],
    diagnosis: false,
    examples: 0,
    parallel: 1,
  } satisfies Partial<CompareConfigInput>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are rows of the same encoder beside the whole, worth what would be served', async () => {
    const out = join(folder, 'sizes');
    const whole = await compare({ ...settings, dataset, out });
    expect(whole.report.sizes).toEqual([]);

    const started: string[] = [];
    const progress = (event: ProgressEvent) => {
      if (event.kind === 'start') started.push(event.stage);
    };
    const sizes = [4, 'int8', '4-int8'];
    const { report } = await compare({ ...settings, sizes, dataset, out }, { progress });
    // The encoder, its embeddings and the rankers of whole rows are those of before.
    expect(started.filter((stage) => /Pre-train|Embed/.test(stage))).toEqual([]);
    expect(report.failures).toEqual([]);
    const names = ['courier', 'courier@4', 'courier@int8', 'courier@4-int8', 'hog'];
    expect(report.rows.flatMap(({ source }) => source ?? [])).toEqual(names);
    expect(report.sizes.map(({ source, size, bytes }) => [source, size, bytes])).toEqual([
      ['courier', null, 64],
      ['courier', '4', 16],
      ['courier', 'int8', 16],
      ['courier', '4-int8', 4],
    ]);

    // What is compared is what a file of that size holds.
    const stored = await readEmbeddings(join(out, 'courier', 'seed-1', 'embeddings.parquet'));
    const small = join(folder, 'small.parquet');
    const rows = stored.ids.flatMap((_, row) => [
      ...atSize(stored.vectors.slice(row * 16, (row + 1) * 16), sizeOf('4-int8')),
    ]);
    await writeEmbeddings(small, { ids: stored.ids, dimension: 4, vectors: Float32Array.from(rows) });
    const given = { ...settings, sources: [], embeddings: { small }, dataset, out: join(folder, 'given') };
    const served = (await compare(given)).report;
    expect(report.sizes[3]?.auc).toEqual(served.rows.find(({ source }) => source === 'small')?.auc);
    expect(report.sizes[3]?.simScoreAuc).toEqual(served.embeddings[0]?.validation);
    const byName = (name: string) => report.rows.find(({ source }) => source === name);
    expect(byName('courier')?.auc).toEqual(whole.report.rows.find(({ source }) => source === 'courier')?.auc);
    expect(defined(report.sizes[0]?.simScoreAuc)).not.toBe(defined(report.sizes[1]?.simScoreAuc));

    // A source at another size is no rival, and not what the report is about.
    expect(headlineRow({ ...report })?.source ?? 'courier').toBe('courier');
    expect(report.versusBestOther.map(({ other }) => other.source)).toEqual(['hog']);
    for (const text of [reportPage(report), reportMarkdown(report), terminalSizes(report) ?? '']) {
      expect(text).toContain('Embedding sizes');
      expect(text).toContain('first 4 numbers, int8');
    }
    const records = await readMetrics(join(out, 'courier', 'seed-1', 'metrics.jsonl'));
    expect(records.at(-1)).toHaveProperty('validationAucFirst4');
  });

  it.each([
    [{ sizes: [16] }, 'embeddings have 16 numbers'],
    [{ sizes: ['int8'], sources: ['hog'] as 'hog'[] }, 'are of learned sources'],
    [{ screen: { always: ['clip'] } }, 'clip, which is not compared'],
  ])('that there cannot be are refused before anything is computed: %j', async (changed, message) => {
    const config = { ...settings, ...changed, dataset, out: join(folder, 'refused') };
    await expect(planComparison(config)).rejects.toThrow(message);
  });
});
