/** Intention analysis: which earlier clicks rebuild a click, and what the embeddings look at. */
import { join } from 'node:path';
import { parseConfig } from '../../config.ts';
import type { Dataset } from '../../data/dataset.ts';
import { requireEmbeddings } from '../../data/embeddings/embeddings.ts';
import { CourierError } from '../../errors.ts';
import { type AttendedClick, attendClicks } from '../../evaluation/attention.ts';
import { effectiveItems, summariseAttention } from '../../evaluation/attention-summary.ts';
import { exampleOf, sampleClicks } from '../../evaluation/examples.ts';
import { hashesOf } from '../../evaluation/given-embeddings.ts';
import { silent, type WorkOptions } from '../../progress.ts';
import { Random } from '../../random.ts';
import type { ExplainedClick, Explanation } from '../../report/explanation.ts';
import { explanationJson } from '../../report/explanation-json.ts';
import { explanationPage } from '../../report/explanation-page.ts';
import { RunFolder } from '../../runs/run-folder.ts';
import { withDataset } from '../../runs/with-dataset.ts';
import type { Engine } from '../../runtime/engine.ts';
import { hashFile, writeFileWhole, writeJson } from '../../storage/files.ts';
import { categoryColumn, informationGain, mapOf, trainingCounts } from './catalogue.ts';
import { type ExplainConfig, type ExplainConfigInput, explainConfig } from './config.ts';
import { type EncoderRun, loadSources, openEncoderRun } from './encoder.ts';
import { compareNeighbours } from './neighbours.ts';

export const explanationFiles = { json: 'explain.json', html: 'explain.html' } as const;

export interface ExplainResult {
  /** Paths of the files written. */
  readonly json: string;
  readonly html: string;
  readonly explanation: Explanation;
}

/**
 * Looks at the clicks of a split through a trained encoder, and writes what it saw as JSON and as a page.
 * @throws CourierError CONFIG_INVALID, VALUE_INVALID for a user or an item that the dataset does not have or foreign
 * embeddings, SPLIT_EMPTY, OUTPUT_EXISTS, OUTPUT_IN_USE, DEVICE_UNAVAILABLE and those of reading and writing
 */
export async function explain(
  settings: ExplainConfigInput,
  options: WorkOptions = {},
): Promise<ExplainResult> {
  const config = parseConfig(explainConfig, settings, 'explain configuration');
  const run = await openEncoderRun(config.encoderRun);
  for (const name of Object.values(config.embeddings)) await requireEmbeddings(name);
  return withDataset(
    config.dataset,
    (dataset, engine) => {
      requireKnown(dataset, config);
      return RunFolder.hold(config.out, (folder) => explainOn(dataset, config, folder, run, engine, options));
    },
    { device: config.device },
  );
}

async function explainOn(
  dataset: Dataset,
  config: ExplainConfig,
  folder: RunFolder,
  run: EncoderRun,
  engine: Engine,
  options: WorkOptions,
): Promise<ExplainResult> {
  const { command = 'called as a library', progress = silent, signal } = options;
  const category = categoryColumn(dataset, config.category);
  const sources = await loadSources(dataset, run, config.encoderRun, config.embeddings, engine, options);
  const [own] = sources;
  const attended = await attendClicks(
    dataset,
    config.split,
    own.embeddings,
    run.attention,
    run.places,
    engine,
  );
  const attention = summariseAttention(dataset, attended);
  if (attention === null) throw nothingToExplain(config);
  const chosen = chooseClicks(dataset, attended, config);
  const shown = [...new Set(chosen.map(({ item }) => item))].slice(0, config.neighbourItems);
  const counts = trainingCounts(dataset);
  const found = {
    clicks: await Promise.all(chosen.map((click) => explainClick(dataset, click))),
    attention,
    neighbours: await compareNeighbours(dataset, shown, sources, config.neighbours),
    map: mapOf(dataset, own, counts, category, config),
    information: await informationGain(dataset, sources, counts, category, config, progress, signal),
  };
  // Whatever may be wrong with the inputs has shown by now: a refused call leaves the folder free for a corrected one.
  const { startedAt } = await folder.begin(await identityOf(config, run, dataset.hash));
  const explanation: Explanation = { dataset: dataset.name, command, startedAt, ...found };
  const [json, html] = [join(config.out, explanationFiles.json), join(config.out, explanationFiles.html)];
  await writeJson(json, explanationJson(explanation));
  await writeFileWhole(html, explanationPage(explanation));
  return { json, html, explanation };
}

/** Paths may change; what the files hold may not. */
async function identityOf(config: ExplainConfig, run: EncoderRun, datasetHash: string) {
  const { dataset: _, out, encoderRun, embeddings, device, ...identity } = config;
  const hashes = {
    ...(await hashesOf(embeddings)),
    'encoder.onnx': await hashFile(run.encoder),
    'attention.onnx': await hashFile(run.attention),
  };
  return { pipeline: 'explain', config: { ...identity, hashes }, datasetHash };
}

async function explainClick(dataset: Dataset, click: AttendedClick): Promise<ExplainedClick> {
  const { users, pageViews } = dataset;
  return {
    ...(await exampleOf(dataset, click)),
    user: users[pageViews.user[click.pageView]!]!,
    time: new Date(pageViews.time[click.pageView]!).toISOString(),
    effectiveItems: effectiveItems(click),
  };
}

/** Those of the user and on the item asked for, the newest first; without either a random sample. */
function chooseClicks(
  dataset: Dataset,
  attended: readonly AttendedClick[],
  config: ExplainConfig,
): readonly AttendedClick[] {
  const { user, item, clicks, seed } = config;
  const random = Random.seeded(seed, 'clicks to explain');
  if (user === undefined && item === undefined) return sampleClicks(dataset, attended, clicks, random);
  const { users, catalogue, pageViews } = dataset;
  const found = attended.filter(
    (click) =>
      (user === undefined || users[pageViews.user[click.pageView]!] === user) &&
      (item === undefined || catalogue.ids[click.item] === item),
  );
  if (found.length === 0) throw nothingToExplain(config);
  return found.slice(-clicks).reverse();
}

function requireKnown({ users, catalogue }: Dataset, { user, item }: ExplainConfig): void {
  const unknown = (what: string, id: string, ids: readonly string[]) =>
    new CourierError(
      'VALUE_INVALID',
      `The dataset has no ${what} ${id}.`,
      `Name one as the log writes it, such as ${ids[0] ?? 'none, as it has none'}; or leave --${what} out for a random sample of clicks.`,
    );
  if (user !== undefined && !users.includes(user)) throw unknown('user', user, users);
  if (item !== undefined && !catalogue.ids.includes(item)) throw unknown('item', item, catalogue.ids);
}

function nothingToExplain({ split, user, item }: ExplainConfig): CourierError {
  const whose = `${user === undefined ? '' : ` of user ${user}`}${item === undefined ? '' : ` on item ${item}`}`;
  return new CourierError(
    'SPLIT_EMPTY',
    `The ${split} split has no click${whose} with an embedding and an earlier click that has one.`,
    whose === ''
      ? 'Choose another --split, or check that photos were found (see the findings of ingest).'
      : 'Choose another --split, user or item; without either a random sample of clicks is shown.',
  );
}
