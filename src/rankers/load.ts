/** An exported ranker, ready to score raw exposures. */

import { join } from 'node:path';
import { readClusters } from '../data/embeddings/clusters.ts';
import { Indexer } from '../data/indexer.ts';
import { decodeModel } from '../graph/onnx-schema.ts';
import { Engine, floats, type Session } from '../runtime/engine.ts';
import type { Model } from '../runtime/model.ts';
import { ModelError } from '../runtime/model-error.ts';
import type { NamedValues } from '../runtime/protocol.ts';
import { readInput } from '../storage/files.ts';
import { floatTensor, readSafeTensors } from '../storage/safetensors.ts';
import { paddingRow } from './embedding-table.ts';
import { ExposureEncoder } from './encode-exposures.ts';
import {
  exportFiles,
  fieldNames,
  type RankerDescription,
  readDescription,
  unusableRanker,
} from './export-format.ts';
import type { RawExposure } from './exposure.ts';
import { ColumnEncoder, countOf, type ExposureColumns, type ServingTables } from './exposure-columns.ts';
import { FeedMemory } from './feed-memory.ts';
import { lookupsOf } from './fields.ts';
import { readIdRows, requireFewRows } from './id-rows.ts';

/** Exposures that are scored at once. */
const batchSize = 1024;

export class LoadedRanker {
  readonly about: RankerDescription;
  readonly #folder: string;
  /** How exposures become the columns of `scoreColumns`. */
  readonly columns: ColumnEncoder;
  readonly #exposures: ExposureEncoder;
  readonly #session: Session;
  readonly #ownEngine: Engine | null;
  /** Those that no run uses. */
  readonly #memories: FeedMemory[] = [];

  private constructor(
    folder: string,
    about: RankerDescription,
    { columns, exposures }: Encoders,
    session: Session,
    ownEngine: Engine | null,
  ) {
    this.#folder = folder;
    this.about = about;
    this.columns = columns;
    this.#exposures = exposures;
    this.#session = session;
    this.#ownEngine = ownEngine;
  }

  /** @see loadRanker */
  static async open(folder: string, engine: Engine | null): Promise<LoadedRanker> {
    const about = await readDescription(folder);
    const { encoders, model } = await readParts(folder, about);
    const computing = engine ?? Engine.start();
    const ownEngine = engine === null ? computing : null;
    try {
      const session = await computing.load(model);
      return new LoadedRanker(folder, about, encoders, session, ownEngine);
    } catch (error) {
      await ownEngine?.close();
      throw error instanceof ModelError ? unusableRanker(folder, error) : error;
    }
  }

  /**
   * The probability of a click on each of these exposures. (n)
   * @throws CourierError VALUE_INVALID naming what the ranker needs and does not get; FILE_CORRUPT when the model
   * fails, or gives what is no probability
   */
  async score(exposures: readonly RawExposure[]): Promise<Float32Array> {
    this.#exposures.check(exposures);
    const scores = new Float32Array(exposures.length);
    for (let from = 0; from < exposures.length; from += batchSize) {
      const part = exposures.slice(from, from + batchSize);
      scores.set(await this.scoreColumns([this.#exposures.encode(part)]), from);
    }
    return scores;
  }

  /**
   * The same for exposures as columns that `columns` made, all parts in one run of the model. (n)
   * @throws CourierError FILE_CORRUPT when the model fails, or gives what is no probability
   */
  scoreColumns(parts: readonly ExposureColumns[]): Promise<Float32Array> {
    // As many as runs that were asked for side by side.
    const memory = this.#memories.pop() ?? new FeedMemory();
    // Not awaited here: what a request is described by would be held while the model computes, and collecting it late costs
    // a service a fifth of its rate.
    return this.#run(this.columns.feeds(parts, memory), countOf(parts)).finally(() => {
      this.#memories.push(memory);
    });
  }

  async #run(feeds: NamedValues, count: number): Promise<Float32Array> {
    try {
      const scores = floats(await this.#session.run(feeds), 'scores');
      if (scores.length !== count) throw new ModelError(`its model gave ${scores.length} scores`);
      if (!scores.every((score) => score >= 0 && score <= 1))
        throw new ModelError('its model gave no probability');
      return scores;
    } catch (error) {
      throw error instanceof ModelError ? unusableRanker(this.#folder, error) : error;
    }
  }

  async release(): Promise<void> {
    await this.#session.release();
    await this.#ownEngine?.close();
  }
}

/**
 * Loads a ranker that `courier rank --export` wrote. The caller releases it.
 * @param engine to compute with; without one, the ranker starts its own, and ends it when it is released
 * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE; FILE_CORRUPT for a folder of another format version, for a file
 * that was altered, and for files that do not fit each other
 */
export function loadRanker(folder: string, engine: Engine | null = null): Promise<LoadedRanker> {
  return LoadedRanker.open(folder, engine);
}

interface Encoders {
  readonly columns: ColumnEncoder;
  readonly exposures: ExposureEncoder;
}

/** What the files of the folder hold, if they fit each other. */
async function readParts(
  folder: string,
  about: RankerDescription,
): Promise<{ encoders: Encoders; model: Model }> {
  try {
    const tables = await readTables(folder, about);
    const columns = new ColumnEncoder(about, tables);
    const encoders = { columns, exposures: new ExposureEncoder(about, tables, columns) };
    const bytes = new Uint8Array(await readInput(join(folder, exportFiles.model), 'Exported ranker'));
    return { encoders, model: modelOf(bytes, about) };
  } catch (error) {
    throw unusableRanker(folder, error);
  }
}

async function readTables(folder: string, about: RankerDescription): Promise<ServingTables> {
  const { situation, item, visual } = fieldNames(about.layout);
  const names = [...situation, ...item, ...visual];
  return {
    fields: await readIdRows(join(folder, exportFiles.ids), names, about.tableRows),
    embeddings: await readEmbeddingTable(join(folder, exportFiles.table), about),
    codesOf: await readCodes(join(folder, exportFiles.codes), about.layout.codes),
  };
}

/** (rows, E) */
async function readEmbeddingTable(
  path: string,
  { tableRows, dimension }: RankerDescription,
): Promise<Float32Array> {
  const { shape, data } = floatTensor(await readSafeTensors(path, 'Embedding table'), 'embeddings');
  if (shape.length !== 2 || shape[0] !== tableRows || shape[1] !== dimension)
    throw new Error(`its table is [${shape}], not [${tableRows},${dimension}]`);
  if (!data.every(Number.isFinite)) throw new Error('its table holds values that are not finite');
  const padding = data.subarray(paddingRow * dimension, (paddingRow + 1) * dimension);
  if (padding.some((value) => value !== 0)) throw new Error(`row ${paddingRow} of its table is not zero`);
  return data;
}

async function readCodes(path: string, names: readonly string[]): Promise<ServingTables['codesOf']> {
  const none = names.map(() => null);
  if (names.length === 0) return () => none;
  await requireFewRows(path);
  const { ids, columns } = await readClusters(path);
  const byName = new Map(columns.map((column) => [column.name, column.codes]));
  const inOrder = names.map((name) => {
    const codes = byName.get(name);
    if (codes === undefined) throw new Error(`${exportFiles.codes} has no ${name}`);
    return codes;
  });
  const rows = new Indexer(ids);
  return (item) => {
    const row = rows.find(item);
    if (row === undefined) return none;
    return inOrder.map((codes) => (codes[row]! >= 0 ? codes[row]! : null));
  };
}

/** The model as the engine takes it, if it takes and gives what the description says. */
function modelOf(bytes: Uint8Array<ArrayBuffer>, about: RankerDescription): Model {
  const inputs = inputsOf(about);
  const { graph } = decodeModel(bytes);
  const found = graph.input.map(({ name, type }) => {
    const lengths = (type?.tensorType?.shape?.dim ?? []).map(({ dimValue }) => dimValue ?? 'B');
    return `${name} [${lengths}]`;
  });
  const wanted = Object.entries(inputs).map(([name, { shape }]) => `${name} [${['B', ...shape.slice(1)]}]`);
  if (found.sort().join() !== wanted.sort().join())
    throw new Error(`its model takes ${found.join(', ')}, not ${wanted.join(', ')}`);
  return { encode: () => bytes, inputs, outputs: { scores: { type: 'float32', shape: [1, 1] } } };
}

function inputsOf({ layout, dimension, dense, visual, gate }: RankerDescription): Model['inputs'] {
  const { context, categories, codes, historyLength } = layout;
  const lookups = lookupsOf({
    situationFields: 1 + context.length,
    itemFields: 1 + categories.length,
    visualFields: codes.length,
    historyLength,
  });
  const width = visual.groups.flat().length;
  return {
    embedded: { type: 'float32', shape: [1, lookups, dimension] },
    historyMask: { type: 'float32', shape: [1, historyLength] },
    ...(dense.length === 0 ? {} : { dense: { type: 'float32', shape: [1, dense.length] } }),
    ...(width === 0 ? {} : { visual: { type: 'float32', shape: [1, width] } }),
    ...(visual.nearness ? { nearness: { type: 'float32', shape: [1, historyLength] } } : {}),
    ...(gate === null ? {} : { category: { type: 'int32', shape: [1] } }),
  };
}
