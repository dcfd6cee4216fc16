/** A trained ranker as files that score without the dataset: what was evaluated is what is served. */

import { join } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { type Centres, writeCentres, writeClusters } from '../data/embeddings/clusters.ts';
import { sigmoid } from '../graph/operators/index.ts';
import { openLength } from '../graph/tensor.ts';
import { buildExport } from '../graph/training-step.ts';
import type { Model } from '../runtime/model.ts';
import { writeFileWhole } from '../storage/files.ts';
import { writeSafeTensors } from '../storage/safetensors.ts';
import { versions } from '../version.ts';
import type { RankerConfig } from './config.ts';
import type { DenseColumns } from './dense-columns.ts';
import { joinedParts } from './embedded-parts.ts';
import { exportFiles, fieldNames, type RankerDescription, writeDescription } from './export-format.ts';
import type { RankerData } from './fields.ts';
import { idRowsOf, writeIdRows } from './id-rows.ts';
import { logitOf } from './index.ts';
import { rankerInputs } from './inputs.ts';
import type { ReadyRanker } from './ready-ranker.ts';

/** The axis along which exposures are batched is open. */
const axis = 'exposures';

/** A ranker, and what it was trained on. */
export interface ExportedFrom {
  readonly ranker: ReadyRanker;
  readonly config: RankerConfig;
  readonly dataset: RankerData & Pick<Dataset, 'name' | 'hash'>;
  readonly seed: number;
  /** Up to when it has seen clicks, milliseconds since 1970-01-01 UTC; null where that is not known. */
  readonly learnedUntil: number | null;
  /** What its images come from; null for a ranker without images. */
  readonly images: ImagesOf | null;
}

/** The embeddings that a ranker was trained with. */
export interface ImagesOf {
  /** As `hashEmbeddings` gives it. */
  readonly hash: string;
  /** SHA-256 of the model that made them, null where that is not known. */
  readonly model: string | null;
  /** Of each of its columns of codes. */
  readonly centres: readonly Centres[];
}

/**
 * Fills an empty folder. The same ranker gives the same bytes.
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function exportRanker(folder: string, from: ExportedFrom): Promise<void> {
  const { ranker, config, dataset } = from;
  const { assembler, feature, scorer } = ranker;
  const codes = feature?.codes ?? [];
  const about = describe(from);
  const fields = fieldNames(about.layout);
  const named = [...fields.situation, ...fields.item, ...fields.visual];
  const rows = idRowsOf(assembler.fields, dataset, codes);
  await writeFileWhole(join(folder, exportFiles.model), graphOf(from).encode('standard'));
  await writeIdRows(join(folder, exportFiles.ids), new Map(named.map((name, index) => [name, rows[index]!])));
  const data = await scorer.embeddings(Int32Array.from({ length: about.tableRows }, (_, row) => row));
  await writeSafeTensors(join(folder, exportFiles.table), {
    metadata: {},
    tensors: new Map([['embeddings', { shape: [about.tableRows, config.embeddingDimension], data }]]),
  });
  if (codes.length > 0)
    await writeClusters(join(folder, exportFiles.codes), {
      ids: dataset.catalogue.ids,
      columns: codes,
      of: null,
    });
  const centres = from.images?.centres ?? [];
  const [first] = centres;
  if (first !== undefined) {
    const dimension = first.values.length / (codes.find(({ name }) => name === first.name)?.count ?? 1);
    await writeCentres(join(folder, exportFiles.centres), {
      dimension,
      centres,
      origin: null,
      learnedUntil: from.learnedUntil,
    });
  }
  await writeDescription(folder, about);
}

/** Everything but the embeddings, for as many exposures as there are: probabilities of a click. (B, 1) */
function graphOf({ ranker: { assembler, weights }, config }: ExportedFrom): Model {
  const { fields, columns, visualColumns, nearness, gate, visual } = assembler;
  const shape = { fields, columns, visualColumns, nearness, gate, visual, batchSize: openLength };
  const embedded = joinedParts(fields.layout, openLength, config.embeddingDimension);
  const inputs = rankerInputs(shape, embedded, config.embeddingDimension);
  const scores = sigmoid(logitOf(inputs, config));
  const names = ['embedded', 'historyMask', 'dense', 'visual', 'nearness', 'category', 'scores'];
  const openAxes = Object.fromEntries(names.map((name) => [name, axis]));
  return buildExport({ scores }, weights.layout, weights.parameters, openAxes);
}

function describe({
  ranker: { assembler, feature },
  config,
  dataset,
  seed,
  learnedUntil,
  images,
}: ExportedFrom): Omit<RankerDescription, 'format' | 'version' | 'files'> {
  const { fields, columns, visualColumns, nearness, gate, visual } = assembler;
  const { categories } = dataset.catalogue;
  const { context, numeric } = dataset.exposures;
  const dense = standardsOf(columns);
  const seen = standardsOf(visualColumns);
  let end = 0;
  return {
    ranker: config.ranker,
    dimension: config.embeddingDimension,
    tableRows: fields.tableRows,
    layout: {
      historyLength: fields.layout.historyLength,
      context: context.map(({ name }) => name),
      categories: categories.map(({ name }) => name),
      codes: (feature?.codes ?? []).map(({ name }) => name),
    },
    dense: numeric.names.map((name, column) => ({ name, ...dense[column]! })),
    visual: {
      features: feature?.name ?? null,
      zeroIsAbsent: true,
      groups: (feature?.groups ?? []).map((width) => {
        end += width;
        return seen.slice(end - width, end);
      }),
      nearness,
      embeddings: images === null ? null : { hash: images.hash, model: images.model },
    },
    gate: visual ? { category: categories.length === 0 ? null : gate.name, values: [...gate.values] } : null,
    settings: config,
    dataset: { name: dataset.name, hash: dataset.hash },
    learnedUntil: learnedUntil === null ? null : new Date(learnedUntil).toISOString(),
    seed,
    versions: versions(),
  };
}

function standardsOf({ mean, scale }: DenseColumns): { mean: number; scale: number }[] {
  return Array.from(mean, (value, column) => ({ mean: value, scale: scale[column]! }));
}
