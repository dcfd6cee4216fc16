import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { courier } from '../../test/support/terminal.ts';
import { tinyDataset, tinyPretraining } from '../../test/support/tiny-dataset.ts';
import { readProvenance } from '../data/embeddings/provenance.ts';
import { loadDataset } from '../data/store.ts';
import { learnedUntilOf, readEncoderFile } from '../encoders/file.ts';
import { embed } from '../pipelines/embed/index.ts';
import { ingest } from '../pipelines/ingest/index.ts';
import { pretrain } from '../pipelines/pretrain/index.ts';
import { shopSource } from '../shop/files.ts';
import { generateShop } from '../shop/generate.ts';
import { exists } from '../storage/files.ts';

/** Times of the splits of a dataset. */
async function splitTimesOf(folder: string) {
  const { images, splitTimes } = await loadDataset(folder);
  images.close();
  return splitTimes;
}

describe('embeddings of an encoder that has seen clicks of the test period', () => {
  let folder: string;
  let dataset: string;
  /** The same log with an earlier test period. */
  let earlier: string;
  const at = (...parts: string[]) => join(folder, ...parts);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    earlier = at('earlier');
    const files = await generateShop({
      ...{ items: 60, shoppers: 12, pageViews: 240, photoSide: 16, out: at('same-shop') },
    });
    const { validationFrom, testFrom } = await splitTimesOf(dataset);
    await ingest({
      ...{ ...shopSource(files), out: earlier, side: 16 },
      validationFrom: new Date(2 * validationFrom - testFrom).toISOString(),
      testFrom: new Date(validationFrom).toISOString(),
    });
    const { encoder } = await pretrain({ ...tinyPretraining, dataset, out: at('run') });
    await embed({ dataset, encoder, out: at('float32.parquet') });
    await embed({ dataset, encoder, precision: 'int8', out: at('int8.parquet') });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const short = ['choices=[{}]', 'starts=["warm"]', 'diagnosis=false', 'ranker.epochs=1'];
  function run(command: string, data: string, out: string, embeddings: string, ...settings: string[]) {
    return courier(
      ...[command, '--dataset', data, '--out', at(out), '--embeddings', embeddings],
      ...settings.flatMap((setting) => ['--set', setting]),
    );
  }

  it('say until when, whatever their precision: the begin of the test period that the encoder was chosen before', async () => {
    const { testFrom } = await splitTimesOf(dataset);
    for (const name of ['float32', 'int8']) {
      expect((await readProvenance(at(`${name}.parquet`))).learnedUntil).toBe(Math.floor(testFrom));
    }
  });

  it('are taken for the dataset that the encoder learned from', async () => {
    const ran = await run('rank', dataset, 'own', at('int8.parquet'), ...short, 'features=["sim-score"]');
    expect(ran.exitCode).toBe(0);
    const { embeddings } = JSON.parse(await readFile(at('own', 'report.json'), 'utf8'));
    expect(embeddings).toMatchObject([{ source: 'embeddings', leaks: false, seen: 'newer' }]);
  });

  it('are refused by rank, compare and features, with both times', async () => {
    const from = new Date((await splitTimesOf(earlier)).testFrom).toISOString();
    for (const name of ['float32', 'int8']) {
      for (const [command, ...settings] of [
        ['rank', 'features=["sim-score"]'],
        ['compare', 'sources=[]'],
        ['features'],
      ] as const) {
        const embeddings = command === 'features' ? at(`${name}.parquet`) : `own=${at(`${name}.parquet`)}`;
        const out = command === 'features' ? 'features.parquet' : 'refused';
        const ran = await run(command, earlier, out, embeddings, ...settings);
        expect([ran.exitCode, ran.stderr]).toEqual([1, expect.stringContaining('LEAK')]);
        expect(ran.stderr).toContain(`the test period of the dataset begins at ${from}`);
      }
    }
  });

  it('are those, too, of an encoder that began from one that has, whatever it learned from itself', async () => {
    const init = at('run', 'checkpoint.safetensors');
    const { encoder } = await pretrain({ ...tinyPretraining, dataset: earlier, init, out: at('began') });
    const { testFrom } = await splitTimesOf(dataset);
    expect(learnedUntilOf(await readEncoderFile(encoder))).toBe(Math.floor(testFrom));
    const again = { ...tinyPretraining, dataset: earlier, out: at('again') };
    const second = await pretrain({ ...again, init: at('began', 'checkpoint.safetensors') });
    expect(learnedUntilOf(await readEncoderFile(second.encoder))).toBe(Math.floor(testFrom));
    await embed({ dataset: earlier, encoder, out: at('began.parquet') });
    const ran = await run('features', earlier, 'refused.parquet', at('began.parquet'));
    expect([ran.exitCode, ran.stderr]).toEqual([1, expect.stringContaining('LEAK')]);
  });

  it('are those, too, of an encoder that looks at what such a network says', async () => {
    const encoder = {
      name: 'backbone',
      file: at('run', 'encoder.onnx'),
      components: 8,
      dimension: 4,
    } as const;
    const made = await pretrain({ ...tinyPretraining, encoder, dataset: earlier, out: at('looks') });
    const { testFrom } = await splitTimesOf(dataset);
    expect(learnedUntilOf(await readEncoderFile(made.encoder))).toBe(Math.floor(testFrom));
  });

  it('are not made by compare of what it was given to begin with, unless that is asked for, under a warning', async () => {
    const words = [...['--sources', 'courier', '--seeds', '1'], '--set', 'examples=0'];
    const training = ['steps=2', 'encoder.dimension=8', 'validateEvery=2', 'collapse=continue'];
    const begun = {
      network: ['--backbone', at('run', 'encoder.onnx'), '--set', 'pretrain.encoder.components=8'],
      weights: ['--set', `pretrain.init=${at('run', 'checkpoint.safetensors')}`],
    };
    for (const own of Object.values(begun)) {
      const out = at('refused');
      const ran = await courier('compare', '--dataset', earlier, '--out', out, ...words, ...own);
      expect([ran.exitCode, ran.stderr]).toEqual([1, expect.stringContaining('LEAK')]);
      expect(await exists(out)).toBe(false);
    }
    const settings = [...short, ...training.map((one) => `pretrain.${one}`), 'allowLeak=true'];
    const asked = settings.flatMap((one) => ['--set', one]);
    const sources = ['--sources', 'courier,backbone,hog', '--seeds', '1', '--set', 'examples=0'];
    const ran = await courier(
      ...['compare', '--dataset', earlier, '--out', at('asked'), ...sources, ...begun.network, ...asked],
    );
    expect([ran.exitCode, ran.stderr]).toEqual([0, expect.any(String)]);
    const { embeddings } = JSON.parse(await readFile(at('asked', 'report.json'), 'utf8'));
    expect(embeddings).toMatchObject([
      { source: 'courier', leaks: true },
      { source: 'backbone', leaks: true },
      { source: 'hog', leaks: false, seen: 'none' },
    ]);
  });

  it('are known as a matrix, too, by what stands beside it', async () => {
    const encoder = at('run', 'encoder.onnx');
    const { npy } = await embed({ dataset, encoder, out: at('matrix.parquet'), npy: true });
    const ran = await run('features', earlier, 'refused.parquet', `${npy?.vectors}:${npy?.ids}`);
    expect([ran.exitCode, ran.stderr]).toEqual([1, expect.stringContaining('LEAK')]);
  });

  it('are measured where that is asked for, under a warning', async () => {
    const leaking = at('float32.parquet');
    const settings = [...short, 'features=["sim-score"]', 'allowLeak=true'];
    const ran = await run('rank', earlier, 'leaking', leaking, ...settings);
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout).toContain('Not to be believed: the encoder of given has learned from clicks');
    expect(await readFile(at('leaking', 'report.md'), 'utf8')).toContain('**Not to be believed');
    const written = await run('features', earlier, 'f.parquet', leaking, 'allowLeak=true');
    expect(written.exitCode).toBe(0);
    expect(JSON.parse(await readFile(at('f.json'), 'utf8'))).toMatchObject({ leaks: true });
  });
});
