/** An export that is open: the ranker, and the state as far as the log was read. */
import { join } from 'node:path';
import { completedCodes } from '../clustering/nearest-code.ts';
import { Counters } from '../data/counters/counters.ts';
import { NONE } from '../data/dataset.ts';
import type { Centres, ItemCodes } from '../data/embeddings/clusters.ts';
import { codesForCatalogue, readCentres, readClusters } from '../data/embeddings/clusters.ts';
import { Indexer } from '../data/indexer.ts';
import { AttentionModel } from '../encoders/attention-model.ts';
import { ExportedEncoder } from '../encoders/load.ts';
import { CourierError } from '../errors.ts';
import { exportFiles } from '../rankers/export-format.ts';
import { type LoadedRanker, loadRanker } from '../rankers/load.ts';
import type { Engine } from '../runtime/engine.ts';
import { LiveCatalogue } from './catalogue.ts';
import { readManifest, type ServingManifest, servingFiles, unusableExport } from './format.ts';
import { Histories } from './histories.ts';
import { LiveState } from './live-state.ts';
import { type Neighbours, openNeighbours } from './neighbours.ts';
import { PgvectorNeighbours } from './pgvector-neighbours.ts';
import { type Recorded, readRecorded, scoreTolerance } from './recorded.ts';
import { type QueueSettings, ScoreQueue } from './score-queue.ts';
import {
  readArrays,
  readHistories,
  readItems,
  readUsers,
  readVectors,
  requireIndices,
} from './stored-state.ts';

export interface DeploymentSettings extends QueueSettings {
  /** `postgres://…` of a PostgreSQL with pgvector; in memory where it is left out. */
  readonly neighbours?: string | undefined;
}

export class Deployment {
  readonly folder: string;
  readonly manifest: ServingManifest;
  readonly ranker: LoadedRanker;
  readonly state: LiveState;
  readonly neighbours: Neighbours;
  readonly encoder: ExportedEncoder | null;
  readonly attention: AttentionModel | null;
  readonly queue: ScoreQueue;
  /** Up to where the log is known. */
  position = 0;
  #inUse = 0;
  #unused: (() => void)[] = [];

  private constructor(
    folder: string,
    manifest: ServingManifest,
    ranker: LoadedRanker,
    state: LiveState,
    neighbours: Neighbours,
    models: Models,
    settings: QueueSettings,
  ) {
    this.folder = folder;
    this.manifest = manifest;
    this.ranker = ranker;
    this.state = state;
    this.neighbours = neighbours;
    this.encoder = models.encoder;
    this.attention = models.attention;
    this.queue = new ScoreQueue((parts) => ranker.scoreColumns(parts), settings);
  }

  /**
   * Opens the folder that `courier export` wrote, and lets it score what was recorded. The caller releases it.
   * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE; FILE_CORRUPT for a folder that was altered, whose files do not fit each
   * other, or that does not score as it did; those of `PgvectorNeighbours.open`
   */
  static async open(folder: string, engine: Engine, settings: DeploymentSettings): Promise<Deployment> {
    const manifest = await readManifest(folder);
    const ranker = await loadRanker(folder, engine);
    const opened: { release(): Promise<void> }[] = [ranker];
    try {
      const models = await readModels(folder, manifest, engine, opened);
      const { state, recorded } = await readState(folder, manifest, ranker);
      const neighbours =
        settings.neighbours === undefined || state.catalogue.dimension === 0
          ? await openNeighbours(state.catalogue)
          : await PgvectorNeighbours.open(settings.neighbours, state.catalogue, manifest);
      opened.push(neighbours);
      const deployment = new Deployment(folder, manifest, ranker, state, neighbours, models, settings);
      await deployment.#check(recorded);
      return deployment;
    } catch (error) {
      for (const each of opened) await each.release();
      throw error instanceof CourierError ? error : unusableExport(folder, error);
    }
  }

  /** What is scored or looked up with it, which it is not released before. */
  async use<T>(work: (deployment: Deployment) => Promise<T>): Promise<T> {
    this.#inUse++;
    try {
      return await work(this);
    } finally {
      this.#inUse--;
      if (this.#inUse === 0) for (const wake of this.#unused.splice(0)) wake();
    }
  }

  /** Frees the models as soon as nobody uses them. */
  async release(): Promise<void> {
    if (this.#inUse > 0) await new Promise<void>((resolve) => this.#unused.push(resolve));
    await this.ranker.release();
    await this.encoder?.release();
    await this.attention?.release();
    await this.neighbours.release();
  }

  /** @throws Error where a score is not what was recorded */
  async #check({ views }: Recorded): Promise<void> {
    const { state, ranker } = this;
    for (const [number, view] of views.entries()) {
      const base = view.base.flat();
      if (base.length !== view.candidates.length * state.baseNames.length)
        throw new Error(`recorded page view ${number} has other base features than the state`);
      const { columns } = state.describe(
        {
          user: view.user,
          time: this.manifest.until,
          context: view.context,
          history: view.history,
          candidates: view.candidates,
          images: true,
        },
        new Map(),
        Float32Array.from(base),
      );
      const scores = await ranker.scoreColumns([columns]);
      for (const [index, wanted] of view.scores.entries()) {
        const difference = Math.abs(scores[index]! - wanted);
        // Written so that NaN fails too.
        if (!(difference <= scoreTolerance))
          throw new Error(
            `candidate ${index} of recorded page view ${number} gets ${scores[index]}, and had ${wanted}`,
          );
      }
    }
  }
}

interface Models {
  readonly encoder: ExportedEncoder | null;
  readonly attention: AttentionModel | null;
}

/** @param opened takes what has to be released */
async function readModels(
  folder: string,
  { photos, embeddings, attentionPlaces }: ServingManifest,
  engine: Engine,
  opened: { release(): Promise<void> }[],
): Promise<Models> {
  let encoder: ExportedEncoder | null = null;
  if (embeddings !== null && embeddings.encoder !== null) {
    encoder = await ExportedEncoder.open(join(folder, servingFiles.encoder), photos.side, engine);
    opened.push(encoder);
    if (encoder.dimension !== embeddings.dimension || encoder.file.hash !== embeddings.encoder)
      throw new Error('its encoder did not make its embeddings');
  }
  let attention: AttentionModel | null = null;
  if (attentionPlaces !== null && embeddings !== null) {
    const path = join(folder, servingFiles.attention);
    attention = await AttentionModel.open(path, embeddings.dimension, attentionPlaces, engine);
    opened.push(attention);
  }
  return { encoder, attention };
}

async function readState(
  folder: string,
  manifest: ServingManifest,
  { about, columns: encoder }: LoadedRanker,
): Promise<{ readonly state: LiveState; readonly recorded: Recorded }> {
  const items = await readItems(folder, manifest);
  const embeddings = await readSeen(folder, manifest, items.ids, about.layout.codes);
  const wanted = manifest.categories.map(({ name }) => name);
  if (wanted.join() !== about.layout.categories.join())
    throw new Error(`the ranker wants the categories ${about.layout.categories}, and items have ${wanted}`);
  const catalogue = new LiveCatalogue(items, embeddings, encoder);
  const counters = new Counters({ categories: catalogue.categories, ...manifest.counters });
  const arrays = await readArrays(join(folder, servingFiles.counters), 'Counters');
  await requireIndices(arrays, manifest);
  await counters.restore(arrays);
  const histories = new Histories(await readHistories(folder, manifest));
  const users = await Indexer.of(await readUsers(folder, manifest));
  if (users.ids.length !== manifest.users) throw new Error('a user is there twice');
  const state = new LiveState({ manifest, about, encoder, catalogue, users, counters, histories });
  const recorded = await readRecorded(folder);
  for (const { user, item, values } of recorded.counted) {
    const number = users.find(user) ?? NONE;
    const known = counters.describe(catalogue.find(item), number, manifest.until);
    if (known.length !== values.length || values.some((value, place) => value !== known[place]))
      throw new Error(`the counters of user ${user} and item ${item} are not what they were`);
  }
  return { state, recorded };
}

/** What photos of the items gave; null for an export without embeddings. */
async function readSeen(
  folder: string,
  { embeddings }: ServingManifest,
  ids: readonly string[],
  codes: readonly string[],
) {
  if (embeddings === null) {
    if (codes.length > 0) throw new Error('the ranker wants codes of photos, and there are no embeddings');
    return null;
  }
  const { dimension } = embeddings;
  const vectors = await readVectors(folder, ids.length, dimension);
  if (codes.length === 0) return { dimension, vectors, codes: [], centres: [] };
  const stored = await readClusters(join(folder, exportFiles.codes));
  const { centres } = await readCentres(join(folder, exportFiles.centres));
  const columns = codesForCatalogue(stored, { ids });
  const inOrder = <Named extends { readonly name: string }>(all: readonly Named[]): readonly Named[] =>
    codes.map((name) => {
      const found = all.find((each) => each.name === name);
      if (found === undefined) throw new Error(`there is no ${name}`);
      return found;
    });
  const [chosen, behind]: [readonly ItemCodes[], readonly Centres[]] = [inOrder(columns), inOrder(centres)];
  for (const [place, { name, count }] of chosen.entries())
    if (behind[place]!.values.length !== count * dimension)
      throw new Error(`${name} has ${count} codes, and other centres`);
  const codesOfAll = completedCodes(chosen, behind, vectors, dimension);
  return { dimension, vectors, codes: codesOfAll, centres: behind };
}
