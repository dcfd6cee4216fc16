/** One of every page that commands write, each made by its command on a generated shop. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare } from '../../src/pipelines/compare/index.ts';
import { describe } from '../../src/pipelines/describe/index.ts';
import { evaluate } from '../../src/pipelines/evaluate/index.ts';
import { experimentReport } from '../../src/pipelines/experiment/index.ts';
import { explain } from '../../src/pipelines/explain/index.ts';
import { ingest } from '../../src/pipelines/ingest/index.ts';
import { Random } from '../../src/random.ts';
import { writeReport } from '../../src/report/write.ts';
import { manifestFile } from '../../src/runs/run-folder.ts';
import { shopSource } from '../../src/shop/files.ts';
import { generateShop } from '../../src/shop/generate.ts';
import { tinyPretraining } from './tiny-dataset.ts';
import { writeTinyExperiment } from './tiny-experiment.ts';
import { csv } from './tiny-shop.ts';

/** Paths of pages, by what they show. */
export interface Pages {
  readonly report: string;
  readonly explanation: string;
  readonly evaluation: string;
  readonly data: string;
  readonly experiment: string;
}

/**
 * Runs the commands below the folder, on so many exposures that parts of them have lifts, with encoders and rankers that
 * learn next to nothing. One source fails, so that the report has a section on that, too.
 */
export async function writePages(folder: string): Promise<Pages> {
  const at = (...parts: string[]) => join(folder, ...parts);
  const dataset = at('dataset');
  const shop = { items: 60, shoppers: 60, pageViews: 1800, photoSide: 16, out: at('shop') };
  await ingest({ ...shopSource(await generateShop(shop)), out: dataset, side: 16 });

  await obstruct(at('compare', 'simclr', 'seed-1'));
  await obstruct(at('compare', 'simclr', 'seed-2'));
  const compared = await compare({
    ...{ dataset, out: at('compare'), sources: ['courier', 'simclr', 'hog'], seeds: [1, 2] },
    ...{ features: ['vector', 'sim-score+cluster-id'], codes: { clusters: [4] }, examples: 2 },
    ...{ pretrain: { ...tinyPretraining, steps: 4 }, choices: [{}, { ids: 'none' }], sliceBy: 'collection' },
  });
  const { html: report } = await writeReport(at('compare'), compared.report);

  const encoderRun = at('compare', 'courier', 'seed-1');
  const { html: explanation } = await explain({
    ...{ dataset, encoderRun, out: at('explain'), clicks: 3, neighbourItems: 2 },
    ...{ clusters: 5, permutations: 20, mapExposures: 1 },
  });
  const exposures = at('exposures.csv');
  await writeFile(exposures, csv(exposuresOfOthers()));
  const { html: evaluation } = await evaluate({ exposures, sliceBy: 'device', out: at('evaluation') });
  const { html: data } = await describe({ dataset, photoExposures: 5, out: at('data') });
  const experiment = await writeExperimentPage(at('experiment'));
  return { report, explanation, evaluation, data, experiment };
}

/** Three arms, of which one has a hostile name. */
export async function writeExperimentPage(folder: string): Promise<string> {
  const arms = [
    { name: 'control', share: 0.4 },
    { name: 'images', share: 0.3 },
    { name: '<script>alert(1)</script> "`\u202e', share: 0.3 },
  ];
  const { definition, exposures, clicks, orders } = await writeTinyExperiment(folder, {
    ...{ arms, lift: 0.4, users: 2400 },
  });
  const { html } = await experimentReport({
    ...{ definition, exposures: { path: exposures }, clicks: { path: clicks }, orders: { path: orders } },
    ...{ winsorize: 0.999, out: join(folder, 'out') },
  });
  return html;
}

/** Puts something into the run folder of an encoder that no training can go on from. */
async function obstruct(run: string): Promise<void> {
  await mkdir(run, { recursive: true });
  await writeFile(join(run, manifestFile), '{}');
}

/** Exposures with the probabilities of two models, of which one knows more. */
function exposuresOfOthers(): readonly (readonly (string | number)[])[] {
  const random = Random.seeded(1, 'models of others');
  const rows = Array.from({ length: 2000 }, (_, row) => {
    const taste = random.uniform();
    const clicked = random.uniform() < 0.5 * taste ? 1 : 0;
    const probability = (known: number) =>
      (0.5 * (known * taste + (1 - known) * random.uniform())).toFixed(4);
    const user = Math.floor(row / 4) % 60;
    const device = user % 2 === 0 ? 'phone' : 'tablet';
    return [`user${user}`, Math.floor(row / 4), clicked, device, probability(0.2), probability(0.8)];
  });
  return [['user', 'page_view', 'clicked', 'device', 'prod', 'with-images'], ...rows];
}
