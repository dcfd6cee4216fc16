import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { courier } from '../../test/support/terminal.ts';
import { tinyPretraining } from '../../test/support/tiny-dataset.ts';
import { writeTinyExperiment } from '../../test/support/tiny-experiment.ts';
import { writeTinyHm } from '../../test/support/tiny-shop.ts';
import { generateShop } from '../shop/generate.ts';

/** Those with commands of their own are named by all of their words. */
const commands = [
  ...['ingest', 'pretrain', 'embed', 'cluster', 'rank', 'compare', 'tune', 'explain', 'export', 'demo'],
  ...['experiment report', 'experiment power', 'settings', 'doctor'],
];

const shop = { items: 60, shoppers: 12, pageViews: 240, photoSide: 16 };
const pretrain = { ...tinyPretraining, steps: 2 };
const ranking = { ranker: { epochs: 1 }, starts: ['warm'], diagnosis: false };

/** What an example is made small with: settings that it does not name itself, and words for those that it does. */
const small: Readonly<Record<string, { settings: unknown; words?: readonly string[] }>> = {
  ingest: { settings: {}, words: ['--side', '16'] },
  pretrain: { settings: pretrain },
  cluster: { settings: {}, words: ['--clusters', '4'] },
  rank: { settings: ranking, words: ['--seeds', '1'] },
  compare: { settings: { ...ranking, pretrain }, words: ['--seeds', '1'] },
  tune: {
    settings: { pretrain: { ...pretrain, encoder: { name: 'vit', dimension: 16 } } },
    words: ['--budget', '2'],
  },
  explain: { settings: { clusters: 4, permutations: 20 } },
  demo: {
    settings: { shop, side: 16, compare: { ...ranking, pretrain, seeds: [1] } },
  },
  'demo --live': {
    settings: {
      ...{ shop, side: 16, pretrain, ranker: ranking.ranker, choices: [{}] },
      ...{ days: 1, pageViews: 60, candidates: 6, shown: 3, newItems: 1 },
    },
  },
};

/** The command lines that end the help of a command, in words without `courier`. */
async function examplesOf(command: string): Promise<readonly string[][]> {
  const { stdout } = await courier(...command.split(' '), '--help');
  const [, examples = ''] = stdout.split('\nExamples:\n');
  return examples
    .replaceAll(/ \\\n\s*/g, ' ')
    .trim()
    .split('\n')
    .map((line) => line.trim().split(' ').slice(1));
}

describe('the examples of --help', () => {
  let folder: string;
  const before = process.cwd();
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    await generateShop({ ...shop, out: folder });
    await writeTinyHm(join(folder, 'hm'));
    await writeTinyExperiment(folder);
    process.chdir(folder);
  });
  afterAll(async () => {
    process.chdir(before);
    await rm(folder, { recursive: true, force: true });
  });

  it.each(commands)('of %s are two, and run on small data as they are', async (command) => {
    const examples = await examplesOf(command);
    const length = command.split(' ').length;
    expect(examples.map((words) => words.slice(0, length).join(' '))).toEqual([command, command]);
    for (const example of examples) {
      const { settings, words = [] } = small[example.slice(0, length + 1).join(' ')] ?? small[command] ?? {};
      const config = join(folder, `${command}.json`);
      await writeFile(config, JSON.stringify(settings ?? {}));
      const reduced = settings === undefined ? [] : ['--config', config, ...words];
      const own = example.includes('--assign') ? [] : reduced;
      const { exitCode, stderr } = await courier(...example, ...own);
      expect({ example, exitCode, stderr }).toMatchObject({ exitCode: 0 });
    }
  });
});
