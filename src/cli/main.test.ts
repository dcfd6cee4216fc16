import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { courier } from '../../test/support/terminal.ts';
import { tinyDataset, tinyPretraining } from '../../test/support/tiny-dataset.ts';
import { csv, writeTinyTable } from '../../test/support/tiny-shop.ts';
import { exists } from '../storage/files.ts';

/** What every refused command has to look like. */
function expectRefusal(ran: Awaited<ReturnType<typeof courier>>, code: string, ...parts: string[]): void {
  expect(ran.exitCode).toBe(1);
  for (const part of parts) expect(ran.stderr).toContain(part);
  expect(ran.stderr).toContain(`[${code}]`);
  expect(ran.stderr).not.toMatch(/^\s+at /m);
  expect(ran.json).toMatchObject({ ok: false, error: { code } });
}

async function log(folder: string, rows: readonly (readonly (string | number)[])[]): Promise<string[]> {
  const path = join(folder, 'log.csv');
  await writeFile(path, csv([['user', 'item', 'time', 'clicked'], ...rows]));
  return [
    'ingest',
    '--json',
    '--log',
    path,
    '--user',
    'user',
    '--item',
    'item',
    '--time',
    'time',
    '--clicked',
    'clicked',
  ];
}

describe('the command line', () => {
  it('explains itself, names only commands that exist, and ends with 0', async () => {
    const help = await courier('--help');
    expect(help.exitCode).toBe(0);
    for (const name of ['demo', 'ingest', 'pretrain', 'embed', 'cluster', 'rank', 'compare', 'doctor']) {
      expect(help.stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
      const own = await courier(name, '--help');
      expect([own.exitCode, own.stdout.startsWith(`Usage: courier ${name}`)]).toEqual([0, true]);
    }
  });

  it('refuses an unknown command or option with exit code 1', async () => {
    expect((await courier('fly')).exitCode).toBe(1);
    expect((await courier('demo', '--fast')).exitCode).toBe(1);
  });

  it('refuses an unknown key in a configuration file, names it and the allowed ones', async () => {
    const folder = await temporaryFolder();
    const config = join(folder, 'config.json');
    await writeFile(config, '{"encoder": {"depht": 3}}');
    const out = join(folder, 'run');
    const ran = await courier('pretrain', '--json', '--config', config, '--dataset', folder, '--out', out);
    expectRefusal(ran, 'CONFIG_INVALID', 'encoder.depht', '`depth`');
    expect(await exists(out)).toBe(false);
  });

  it('refuses a configuration file that is not JSON, and a key from the prototype', async () => {
    const folder = await temporaryFolder();
    const config = join(folder, 'config.json');
    await writeFile(config, '{"steps": ');
    expectRefusal(await courier('pretrain', '--json', '--config', config), 'CONFIG_INVALID', 'not JSON');
    expectRefusal(
      await courier('pretrain', '--json', '--set', '__proto__.x=1'),
      'CONFIG_INVALID',
      '__proto__',
    );
  });

  describe('ingest refuses, with nothing written:', () => {
    it('a missing column, naming those that exist', async () => {
      const folder = await temporaryFolder();
      const words = await log(folder, [['u', 'i', '2024-01-01', 1]]);
      const out = join(folder, 'dataset');
      const ran = await courier(...words, '--page-view', 'page', '--out', out);
      expectRefusal(ran, 'COLUMN_MISSING', 'page', 'clicked');
      expect(await readdir(folder)).toEqual(['log.csv']);
    });

    it('a log of which no columns are named, saying how they are', async () => {
      const folder = await temporaryFolder();
      const [, , , path = ''] = await log(folder, [['u', 'i', '2024-01-01', 1]]);
      const ran = await courier(
        'ingest',
        '--json',
        '--log',
        path,
        '--user',
        'user',
        '--out',
        join(folder, 'dataset'),
      );
      expectRefusal(ran, 'CONFIG_INVALID', 'the item, the time');
      expect(ran.stderr).toContain('--item COLUMN --time COLUMN; courier ingest --inspect');
      expect(await readdir(folder)).toEqual(['log.csv']);
    });

    it('an empty log', async () => {
      const folder = await temporaryFolder();
      expectRefusal(
        await courier(...(await log(folder, [])), '--out', join(folder, 'dataset')),
        'LOG_EMPTY',
        'log.csv',
      );
      expect(await readdir(folder)).toEqual(['log.csv']);
    });

    it('a log without clicks', async () => {
      const folder = await temporaryFolder();
      const rows = Array.from({ length: 20 }, (_, day) => ['u', `i${day}`, `2024-01-${10 + day}`, 0]);
      expectRefusal(
        await courier(...(await log(folder, rows)), '--out', join(folder, 'dataset')),
        'LOG_WITHOUT_CLICKS',
        'log.csv',
      );
      expect(await readdir(folder)).toEqual(['log.csv']);
    });

    it('an image folder that does not exist', async () => {
      const folder = await temporaryFolder();
      const words = await log(folder, [['u', 'i', '2024-01-01', 1]]);
      const ran = await courier(
        ...words,
        '--images',
        join(folder, 'photos'),
        '--out',
        join(folder, 'dataset'),
      );
      expectRefusal(ran, 'FILE_NOT_FOUND', 'photos');
      expect(await readdir(folder)).toEqual(['log.csv']);
    });

    it('a file that is not there', async () => {
      const ran = await courier(
        'ingest',
        '--json',
        '--log',
        '/nowhere.csv',
        '--user',
        'u',
        '--item',
        'i',
        '--time',
        't',
        '--out',
        '/tmp/x',
      );
      expectRefusal(ran, 'FILE_NOT_FOUND', '/nowhere.csv');
    });
  });

  it('ingests a log from its options and prints what it counted', async () => {
    const folder = await temporaryFolder();
    const { log: columns, catalogue, images } = await writeTinyTable(folder);
    const out = join(folder, 'dataset');
    const ran = await courier(
      ...['ingest', '--json', '--log', columns.path, '--user', columns.user, '--item', columns.item],
      ...['--time', columns.time, '--clicked', columns.clicked, '--catalogue', catalogue.path],
      ...['--catalogue-item', catalogue.item, '--image', catalogue.image, '--title', catalogue.title],
      ...['--categories', catalogue.categories.join(','), '--images', images, '--side', '16', '--out', out],
    );
    expect([ran.exitCode, ran.json]).toMatchObject([0, { ok: true, dataset: out }]);
    expect(ran.stderr).toContain('photos');
  });
});

describe('the demo', () => {
  it('ends with a table, the attention check, and the path of a report that exists', async () => {
    const folder = await temporaryFolder();
    const config = join(folder, 'demo.json');
    const shop = { items: 60, shoppers: 12, pageViews: 240, photoSide: 16 };
    const compare = { pretrain: tinyPretraining, ranker: { epochs: 1 } };
    await writeFile(config, JSON.stringify({ shop, side: 16, compare }));
    const out = join(folder, 'demo');
    const ran = await courier('demo', '--json', '--config', config, '--out', out);
    expect([ran.exitCode, ran.json]).toMatchObject([0, { ok: true, report: join(out, 'report.json') }]);
    expect(ran.stderr).toMatch(/Attention points at the earlier click .* chance would be/);
    const report = JSON.parse(await readFile(join(out, 'report.json'), 'utf8'));
    expect(report.rows[0]).toMatchObject({ features: 'without-learning', source: null, lifts: null });
    expect(report.rows[1]).toMatchObject({ features: 'none', source: null, lifts: null });
    expect(report.attention.clicks).toBeGreaterThan(0);
    const stages = report.stages.map(({ stage }: { stage: string }) => stage);
    expect(stages).toEqual(expect.arrayContaining(['Choose settings', 'Rank', 'Diagnose']));
    expect(report.manifest.command).toBe(`courier demo --json --config ${config} --out ${out}`);
  });
});

describe('the commands, one after the other', () => {
  let folder: string;
  let dataset: string;
  let config: string;
  const at = (...parts: string[]) => join(folder, ...parts);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    config = at('pretrain.json');
    await writeFile(config, JSON.stringify(tinyPretraining));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('pretrain, embed and rank hand their artefacts on', async () => {
    const common = ['--json', '--dataset', dataset];
    const pretrained = await courier('pretrain', ...common, '--config', config, '--out', at('run'));
    expect([pretrained.exitCode, pretrained.json]).toMatchObject([
      0,
      { ok: true, encoder: at('run', 'encoder.onnx') },
    ]);
    const embedded = await courier(
      'embed',
      ...common,
      '--encoder',
      at('run', 'encoder.onnx'),
      '--out',
      at('e.parquet'),
    );
    expect([embedded.exitCode, embedded.json]).toMatchObject([0, { ok: true, dimension: 16, items: 60 }]);
    const words = [
      '--features',
      'none,sim-score,vector+cluster-id',
      '--embeddings',
      at('e.parquet'),
      '--set',
      'ranker.epochs=2',
    ];
    const ranked = await courier(
      'rank',
      ...common,
      ...words,
      '--seeds',
      '2',
      '--set',
      'codes.clusters=[4,9]',
      '--out',
      at('rank'),
    );
    expect(ranked.exitCode).toBe(0);
    const report = JSON.parse(await readFile(at('rank', 'report.json'), 'utf8'));
    const rows = ['without-learning', 'none', 'sim-score', 'vector+cluster-id'];
    expect(
      report.rows.map(({ start, features }: { start: string; features: string }) => [start, features]),
    ).toEqual(['warm', 'scratch'].flatMap((start) => rows.map((features) => [start, features])));
    expect([report.rows[0].lifts, report.rows[4].lifts]).toEqual([null, null]);
    expect(report.rows[2]).toMatchObject({
      seeds: [1, 2],
      lifts: {
        auc: {
          ci95: { kind: 'value', value: [expect.any(Number), expect.any(Number)] },
          pCorrected: { kind: 'value', value: expect.any(Number) },
          covers: 'users and seeds',
        },
        logLoss: { difference: { kind: 'value', value: expect.any(Number) } },
      },
    });
    expect(report.rows[2].slices[0]).toMatchObject({ family: 'item history', name: 'cold' });
    expect(report.diagnosis).toMatchObject({ source: 'embeddings', seed: 1 });
    const { importance } = report.diagnosis;
    expect(importance.value.map(({ input }: { input: string }) => input)).toContain('cold');
  });

  it('rank refuses columns that the dataset does not have, and leaves no run folder behind', async () => {
    for (const setting of ['ranker.gateCategory=shade', 'sliceBy=shade']) {
      const words = ['rank', '--json', '--dataset', dataset, '--out', at('shade'), '--set', setting];
      expectRefusal(await courier(...words), 'CONFIG_INVALID', 'shade');
      expect(await exists(at('shade'))).toBe(false);
    }
  });

  it('rank asks for the embeddings that a feature needs', async () => {
    const ran = await courier(
      'rank',
      '--json',
      '--dataset',
      dataset,
      '--features',
      'vector',
      '--out',
      at('other'),
    );
    expectRefusal(ran, 'CONFIG_INVALID', '`embeddings`');
    expect(await exists(at('other'))).toBe(false);
  });

  it('embed refuses a file that is not an encoder', async () => {
    const ran = await courier(
      'embed',
      '--json',
      '--dataset',
      dataset,
      '--encoder',
      config,
      '--out',
      at('no.parquet'),
    );
    expectRefusal(ran, 'FILE_CORRUPT', 'pretrain.json');
    expect(await exists(at('no.parquet'))).toBe(false);
  });

  it('compare fills a run folder once, and reads it the second time', async () => {
    const settings = at('compare.json');
    const content = {
      ...{ pretrain: tinyPretraining, ranker: { epochs: 2 }, seeds: [1] },
      ...{ starts: ['warm'], diagnosis: false },
    };
    await writeFile(settings, JSON.stringify(content));
    const words = ['compare', '--json', '--config', settings, '--dataset', dataset, '--out', at('compare')];
    const first = await courier(...words);
    expect(first.exitCode).toBe(0);
    const report = JSON.parse(await readFile(at('compare', 'report.json'), 'utf8'));
    expect(report.rows.map(({ source }: { source: string }) => source)).toEqual([
      null,
      null,
      'courier',
      'random',
      'pixel-pca',
      'hog',
    ]);
    const started = performance.now();
    const second = await courier(...words);
    expect(second.json['rows']).toEqual(first.json['rows']);
    expect(performance.now() - started).toBeLessThan(10_000);
    const page = await readFile(at('compare', 'report.html'), 'utf8');
    expect(page).toContain('<!doctype html>');
    expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  });

  it('an output that cannot be written is refused before any work', async () => {
    const ran = await courier(
      'pretrain',
      '--json',
      '--config',
      config,
      '--dataset',
      dataset,
      '--out',
      join(config, 'run'),
    );
    expectRefusal(ran, 'OUTPUT_NOT_WRITABLE', 'run');
  });

  it('a read-only output is refused', async (context) => {
    // Root may write anywhere but into the kernel's own folders.
    const readOnly = process.getuid?.() === 0 ? '/sys/courier' : at('read-only', 'run');
    if (process.platform !== 'linux' && process.getuid?.() === 0)
      context.skip('needs Linux or an ordinary user');
    await mkdir(at('read-only'), { mode: 0o555, recursive: true });
    const ran = await courier(
      'pretrain',
      '--json',
      '--config',
      config,
      '--dataset',
      dataset,
      '--out',
      readOnly,
    );
    expectRefusal(ran, 'OUTPUT_NOT_WRITABLE', readOnly);
  });

  it('a full disk is reported, keeps what was there, and leaves nothing half-written', async (context) => {
    const disk = at('disk');
    await mkdir(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch (error) {
      if (process.env['COURIER_SKIP_NOTHING'] === '1') throw error;
      context.skip('needs the right to mount a small disk');
    }
    try {
      const run = join(disk, 'run');
      const ran = await courier('pretrain', '--json', '--config', config, '--dataset', dataset, '--out', run);
      expectRefusal(ran, 'OUTPUT_NOT_WRITABLE', 'disk is full');
      expect((await readdir(run)).filter((name) => name.includes('partial'))).toEqual([]);
      expect(await exists(join(run, 'encoder.onnx'))).toBe(false);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
