/** What rankers are measured on: the generated shop, and hm-v2 and ml1m-v2 where a folder has them as `hm` and `ml1m`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readRecipe } from '../src/data/recipes.ts';
import { ingest } from '../src/pipelines/ingest/index.ts';
import { type RankerChoice, rankerChoice } from '../src/rankers/config.ts';
import { shopSource } from '../src/shop/files.ts';
import { generateShop } from '../src/shop/generate.ts';
import { exists } from '../src/storage/files.ts';

const names = ['generated shop', 'hm', 'ml1m'] as const;
type Name = (typeof names)[number];

export interface RankDataset {
  readonly name: Name;
  /** Dataset folder. */
  readonly dataset: string;
  /** For what is made of it; gone afterwards. */
  readonly folder: string;
  /** What its recipe sets: where the training period is cut, and the settings that rankers are chosen among. */
  readonly settings: {
    readonly olderShare?: number | undefined;
    readonly choices?: RankerChoice[] | undefined;
  };
}

/** Ten times the demo's: of its 450 test page views chance alone is more than a point of AUC. */
const largeShop = { pageViews: 45_000, shoppers: 3000, photoSide: 16 };

/**
 * Goes through those whose name holds a text.
 * @param data folder with `hm` and `ml1m`; null for the generated shop alone
 * @returns the names of those that are not there
 */
export async function withRankDatasets(
  data: string | null,
  only: string,
  use: (dataset: RankDataset) => Promise<void>,
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const name of names.filter((name) => name.includes(only))) {
    const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
    try {
      const dataset = join(folder, 'dataset');
      if (await prepare(name, data, folder, dataset))
        await use({ name, dataset, folder, settings: await settingsOf(name) });
      else missing.push(`the data of ${name}, a folder in that of --data`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return missing;
}

/** @returns false where the data are not there */
async function prepare(name: Name, data: string | null, folder: string, out: string): Promise<boolean> {
  if (name === 'generated shop') {
    const files = await generateShop({ ...largeShop, out: join(folder, 'shop') });
    await ingest({ ...shopSource(files), out });
    return true;
  }
  if (data === null || !(await exists(join(data, name)))) return false;
  await ingest({ source: name, folder: join(data, name), out });
  return true;
}

async function settingsOf(name: Name): Promise<RankDataset['settings']> {
  if (name === 'generated shop') return {};
  const { compare } = await readRecipe(name, '');
  return z
    .object({ olderShare: z.number().optional(), choices: z.array(rankerChoice).optional() })
    .parse(compare);
}
