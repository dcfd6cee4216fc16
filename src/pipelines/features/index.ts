/** Features of images for somebody else's ranker: a row for each exposure, which joins back to the log. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../config.ts';
import { writeParquet } from '../../data/duckdb/parquet.ts';
import { hashEmbeddings } from '../../data/embeddings/embeddings.ts';
import { closeDataset, loadDataset, readLogRows } from '../../data/store.ts';
import { CourierError } from '../../errors.ts';
import { leaks, requireNoLeak } from '../../evaluation/leaks.ts';
import { requireOwnPhotos } from '../../evaluation/own-photos.ts';
import { loadKnownEmbeddings, visualInputs } from '../../evaluation/visual-inputs.ts';
import type { WorkOptions } from '../../progress.ts';
import { writeJson, writeWhole } from '../../storage/files.ts';
import { withOutput } from '../../storage/lock.ts';
import { version } from '../../version.ts';
import { baseColumns, type DefinedColumn, keyColumns, visualColumns } from './columns.ts';
import { type FeaturesConfig, type FeaturesConfigInput, featuresConfig } from './config.ts';

/** What the columns of a file of features mean, so that they can be computed elsewhere. */
export interface FeaturesDescription {
  readonly format: 'courier-features-1';
  readonly dataset: { readonly name: string; readonly hash: string };
  /** SHA-256 of the file of embeddings; null where no column is made of any. */
  readonly embeddings: string | null;
  /** Whether the encoder of the embeddings has seen clicks of the test period, so that models with these columns seem too good. */
  readonly leaks: boolean;
  readonly rows: number;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly definition: string }[];
  readonly made: { readonly version: string; readonly command: string };
}

export interface FeaturesResult {
  /** Paths of the files written. */
  readonly parquet: string;
  readonly json: string;
  readonly description: FeaturesDescription;
}

/**
 * Writes the features of every exposure of a dataset as Parquet, with the row of its log, and what each column means as JSON
 * beside it.
 * @throws CourierError CONFIG_INVALID, those of reading dataset and embeddings, OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE
 */
export async function features(
  settings: FeaturesConfigInput,
  options: WorkOptions = {},
): Promise<FeaturesResult> {
  const config = parseConfig(featuresConfig, settings, 'features configuration');
  const { embeddings, out } = config;
  if (config.features.length > 0 && embeddings === undefined) throw embeddingsMissing(config);
  const dataset = await loadDataset(config.dataset);
  const json = `${out.replace(/\.parquet$/i, '')}.json`;
  return withOutput(out, async () => {
    const columns: DefinedColumn[] = keyColumns(dataset, await readLogRows(config.dataset));
    if (config.base) columns.push(...baseColumns(dataset));
    if (embeddings !== undefined) {
      const scratch = await mkdtemp(join(tmpdir(), 'courier-features-'));
      try {
        const { codes, seed } = config;
        await requireOwnPhotos(dataset, embeddings);
        if (!config.allowLeak) await requireNoLeak(dataset, embeddings);
        const known = await loadKnownEmbeddings(dataset, embeddings);
        const inputs = await visualInputs(dataset, known, config.features, {
          ...options,
          config: codes,
          seed,
          folder: scratch,
          file: embeddings,
          allowLeak: config.allowLeak,
        });
        for (const name of config.features) columns.push(...visualColumns(dataset, name, inputs));
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    }
    const description: FeaturesDescription = {
      format: 'courier-features-1',
      dataset: { name: dataset.name, hash: dataset.hash },
      embeddings: embeddings === undefined ? null : await hashEmbeddings(embeddings),
      leaks: embeddings !== undefined && (await leaks(dataset, embeddings)),
      rows: dataset.exposures.item.length,
      columns: columns.map(({ column: { name, type }, definition }) => ({ name, type, definition })),
      made: { version, command: options.command ?? 'called as a library' },
    };
    await writeWhole(out, (temporary) =>
      writeParquet(
        temporary,
        columns.map(({ column }) => column),
      ),
    );
    await writeJson(json, description);
    return { parquet: out, json, description };
  }).finally(() => closeDataset(dataset));
}

function embeddingsMissing({ features: wanted }: FeaturesConfig): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    `Invalid features configuration: ${wanted.join(', ')} need \`embeddings\`.`,
    'Name a file of item embeddings, or set `features` to [] for base features alone.',
  );
}
