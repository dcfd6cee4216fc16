/** A ranker that answers: export and log in memory, models in a thread of their own. */
import { unitScale } from '../data/embeddings/unit-length.ts';
import { CourierError, messageOf } from '../errors.ts';
import { calibrated } from '../metrics/isotonic.ts';
import { Engine } from '../runtime/engine.ts';
import { attend } from './attend.ts';
import { checkItem, checkRequest, invalid, requireTime, unknownItem } from './check-request.ts';
import { compact } from './compaction.ts';
import { Deployment, type DeploymentSettings } from './deployment.ts';
import { Seen } from './drift.ts';
import { type Content, checkEvents, encodeContent, encodeVector, entryId, type ShopEvent } from './events.ts';
import { similarItems } from './limits.ts';
import { catchUp } from './log-reader.ts';
import { openStateStore } from './open-store.ts';
import { seePhoto } from './photo.ts';
import type {
  Described,
  NewItem,
  Receipt,
  Scored,
  ScoreRequest,
  Service,
  ServiceStatistics,
  SimilarItem,
  SimilarQuery,
} from './requests.ts';
import { OverloadedError, type QueueSettings } from './score-queue.ts';
import type { StateStore } from './state-store.ts';

export interface ServiceOptions extends Partial<QueueSettings> {
  /** Folder that `courier export` wrote. */
  readonly export: string;
  /** Where state is kept, as `openStateStore` takes it. */
  readonly state: string;
  /** `postgres://…` of a PostgreSQL with pgvector that keeps and searches embeddings; in memory where it is left out. */
  readonly neighbours?: string | undefined;
  /** Milliseconds from one look at what other replicas recorded to the next. */
  readonly refresh?: number;
  /**
   * How long entries of the log are kept that the export knows: as long, an export that knows less may come back. Milliseconds.
   */
  readonly retention?: number;
  /** Threads that share an operator of a model; all cores by default. */
  readonly threads?: number | undefined;
  /** What time it is, in milliseconds since 1970-01-01 UTC: another clock for what is simulated. */
  readonly clock?: () => number;
}

export const serviceDefaults = {
  window: 2,
  batchRows: 1024,
  queueRows: 16_384,
  refresh: 200,
  retention: 7 * 86_400_000,
  clock: Date.now,
} as const;

/**
 * Opens an export and the state that goes on from it. The caller closes the service.
 * @throws CourierError those of `Deployment.open` and `openStateStore`
 */
export async function openService(options: ServiceOptions): Promise<Service> {
  const settings = { ...serviceDefaults, ...options };
  const store = await openStateStore(options.state);
  const engine = Engine.start(options.threads === undefined ? {} : { threads: options.threads });
  try {
    const deployment = await Deployment.open(options.export, engine, settings);
    try {
      const service = new LiveService(deployment, store, engine, settings);
      await service.begin();
      return service;
    } catch (error) {
      await deployment.release();
      throw error;
    }
  } catch (error) {
    await store.close();
    await engine.close();
    throw error;
  }
}

type Settings = DeploymentSettings & Required<Pick<ServiceOptions, 'refresh' | 'retention' | 'clock'>>;

class LiveService implements Service {
  readonly #store: StateStore;
  readonly #engine: Engine;
  readonly #settings: Settings;
  #current: Deployment;
  #seen = new Seen();
  /** What changes a deployment comes one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  /** The next reading of the log, which has not begun. */
  #next: Promise<void> | null = null;
  #readAt = 0;
  #problem: string | null = null;
  #swapping: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;
  readonly #totals = {
    requests: 0,
    exposures: 0,
    overloaded: 0,
    late: 0,
    events: 0,
    knownEvents: 0,
    swaps: 0,
  };
  /** Of deployments before the current one. */
  readonly #before = { batches: 0, rows: 0 };

  constructor(deployment: Deployment, store: StateStore, engine: Engine, settings: Settings) {
    this.#current = deployment;
    this.#store = store;
    this.#engine = engine;
    this.#settings = settings;
  }

  /** Reads the log, and goes on reading it. */
  async begin(): Promise<void> {
    await this.#compact();
    await this.#refresh();
    this.#timer = setInterval(() => this.#refresh().catch(() => {}), this.#settings.refresh);
    this.#timer.unref();
  }

  hasRoom(): boolean {
    return this.#current.queue.hasRoom;
  }

  admit(): void {
    if (this.hasRoom()) return;
    this.#totals.overloaded += 1;
    throw this.#current.queue.overloaded();
  }

  async score(request: ScoreRequest): Promise<Scored> {
    this.#requireOpen();
    const deadline = request.within === undefined ? null : performance.now() + request.within;
    try {
      return await this.#current.use(async (deployment) => {
        const seen = this.#seen;
        const asked = this.#ask(deployment, request, deadline);
        const [scores, attention] = await asked.answers;
        const { catalogue } = deployment.state;
        seen.add(deployment, asked.candidates, scores, asked.simScores);
        this.#totals.requests += 1;
        this.#totals.exposures += scores.length;
        const { calibration } = deployment.manifest;
        return {
          scores,
          calibrated: calibration === null ? scores : scores.map((score) => calibrated(calibration, score)),
          known: knownOf(asked.items, catalogue.unknown),
          time: asked.time,
          attention,
        };
      });
    } catch (error) {
      if (error instanceof OverloadedError) this.#totals.overloaded += 1;
      else if (error instanceof CourierError && error.code === 'DEADLINE_EXCEEDED') this.#totals.late += 1;
      throw error;
    }
  }

  /** Describes a page view and asks for its scores, without a hold on the description until they are there. */
  #ask(deployment: Deployment, request: ScoreRequest, deadline: number | null) {
    // Before any work is done for it.
    deployment.queue.admit(request.candidates.length);
    const { view, numeric } = checkRequest(request, deployment, this.#settings.clock());
    const described = deployment.state.describe(view, numeric);
    const answers = Promise.all([
      deployment.queue.score(described.columns, deadline),
      request.attention === true ? attend(deployment, described) : null,
    ]);
    const { candidates: items, simScores, time } = described;
    return { candidates: view.candidates, items, simScores, time, answers };
  }

  async features(request: ScoreRequest): Promise<Described> {
    this.#requireOpen();
    const deployment = this.#current;
    const { state } = deployment;
    const { view, numeric } = checkRequest(request, deployment, this.#settings.clock());
    const { time, base, columns, history } = state.describe(view, numeric);
    return {
      time,
      names: state.baseNames,
      base,
      visual: columns.visual,
      nearness: columns.nearness,
      history: history.map(({ id }) => id),
    };
  }

  async similar(query: SimilarQuery): Promise<readonly SimilarItem[]> {
    this.#requireOpen();
    return this.#current.use((deployment) => similarIn(deployment, query));
  }

  async embed(of: { readonly photo: Uint8Array } | { readonly item: string }): Promise<Float32Array> {
    this.#requireOpen();
    if ('item' in of) {
      const { catalogue } = this.#current.state;
      const item = catalogue.find(of.item);
      if (catalogue.present[item] !== 1) throw unknownItem(of.item);
      return catalogue.vectorOf(item).slice();
    }
    return this.#current.use(async ({ encoder, manifest: { photos } }) => {
      if (encoder === null) throw invalid('the export has no encoder');
      const { pixels } = await seePhoto(of.photo, photos.side, photos.kept);
      return encoder.embed(pixels);
    });
  }

  async record(events: readonly ShopEvent[]): Promise<Receipt> {
    this.#requireOpen();
    const now = this.#settings.clock();
    const checked = checkEvents(events);
    for (const { time } of checked) requireTime(time, now);
    const entries = checked.map(({ id, ...is }) => ({
      id: `event:${id}`,
      content: encodeContent({ at: Date.now(), is }),
    }));
    const isNew = await this.#store.append(entries);
    const fresh = checked.filter((_, place) => isNew[place] === true);
    const receipt = {
      recorded: fresh.length,
      known: checked.length - fresh.length,
      covered: fresh.filter(({ time }) => this.#current.state.covers(time)).length,
    };
    this.#totals.events += receipt.recorded;
    this.#totals.knownEvents += receipt.known;
    // They are on the disk whatever becomes of reading them again, which then is tried by and by.
    await this.#refresh().catch(() => {});
    return receipt;
  }

  async putItem(item: NewItem): Promise<void> {
    this.#requireOpen();
    const content = await this.#current.use(async (deployment): Promise<Content> => {
      checkItem(item, deployment);
      const { photos, embeddings } = deployment.manifest;
      const seen = item.photo === undefined ? null : await seePhoto(item.photo, photos.side, photos.kept);
      if (item.photo !== undefined && seen !== null) await this.#store.keep(seen.file, item.photo);
      const made = seen === null || embeddings === null ? null : await deployment.encoder?.embed(seen.pixels);
      const vector = item.embedding ?? made ?? null;
      return {
        kind: 'item',
        id: item.id,
        categories: { ...item.categories },
        numeric: { ...item.numeric },
        photo: seen === null ? null : { file: seen.file, picture: seen.picture },
        embedding:
          vector === null ? null : { encoder: embeddings?.encoder ?? null, vector: encodeVector(vector) },
      };
    });
    await this.#append(content);
  }

  async deleteItem(id: string): Promise<boolean> {
    this.#requireOpen();
    const { catalogue } = this.#current.state;
    if (catalogue.find(id) === catalogue.unknown) return false;
    await this.#append({ kind: 'removal', id });
    return true;
  }

  swap(folder: string): Promise<void> {
    this.#requireOpen();
    const swapped = this.#swapping.then(() => this.#swap(folder));
    this.#swapping = swapped.catch(() => {});
    return swapped;
  }

  statistics(): ServiceStatistics {
    const { manifest, ranker, folder, state, neighbours, queue, position } = this.#current;
    const { computed } = queue;
    return {
      export: {
        folder,
        ranker: ranker.about.ranker,
        features: ranker.about.visual.features,
        dataset: manifest.dataset.hash,
        until: manifest.until,
      },
      items: state.catalogue.size,
      users: state.users,
      neighbours: neighbours.kind,
      state: { position, readAt: this.#readAt, heard: state.heard, problem: this.#problem },
      totals: {
        ...this.#totals,
        batches: this.#before.batches + computed.batches,
        batchedRows: this.#before.rows + computed.rows,
      },
      queuedRows: queue.rows,
      drift: this.#seen.drift(this.#current),
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#swapping;
    await this.#current.queue.idle();
    await this.#last;
    await this.#current.release();
    await this.#store.close();
    await this.#engine.close();
  }

  /** Appends a change of an item, and reads until it is known here. */
  async #append(content: Content): Promise<void> {
    await this.#store.append([{ id: entryId(), content: encodeContent({ at: Date.now(), is: content }) }]);
    await this.#refresh();
  }

  /** Reads all that is in the log now: a reading that has begun may have passed it, so that the next one does. */
  #refresh(): Promise<void> {
    this.#next ??= this.#alone(() => {
      this.#next = null;
      return this.#read();
    });
    return this.#next;
  }

  #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #read(): Promise<void> {
    try {
      await catchUp(this.#current, this.#store);
      this.#readAt = Date.now();
      this.#problem = null;
    } catch (error) {
      this.#problem = messageOf(error);
      throw error;
    }
  }

  async #swap(folder: string): Promise<void> {
    const next = await Deployment.open(folder, this.#engine, this.#settings);
    const old = this.#current;
    try {
      await catchUp(next, this.#store);
      // The last entries, while nobody reads on: what was acknowledged is known to the one that answers next.
      await this.#alone(async () => {
        await catchUp(next, this.#store);
        this.#current = next;
        this.#seen = new Seen();
      });
    } catch (error) {
      await next.release();
      throw error;
    }
    this.#totals.swaps += 1;
    const { computed } = old.queue;
    this.#before.batches += computed.batches;
    this.#before.rows += computed.rows;
    await old.release();
    await this.#compact();
  }

  /** A log that cannot be shortened now is shortened another time. */
  async #compact(): Promise<void> {
    const before = Date.now() - this.#settings.retention;
    await compact(this.#store, this.#current.manifest.until, before).catch((error: unknown) => {
      this.#problem = messageOf(error);
    });
  }

  #requireOpen(): void {
    if (!this.#isClosed) return;
    throw new CourierError('INTERRUPTED', 'The service is closed.', 'Open another one.');
  }
}

function knownOf(items: Int32Array, unknown: number): Uint8Array {
  const known = new Uint8Array(items.length);
  for (let place = 0; place < items.length; place++) known[place] = items[place] === unknown ? 0 : 1;
  return known;
}

/** @throws CourierError VALUE_INVALID, and those of searching */
async function similarIn(
  { state: { catalogue }, neighbours }: Deployment,
  query: SimilarQuery,
): Promise<readonly SimilarItem[]> {
  const { most = similarItems.usual } = query;
  if (!Number.isInteger(most) || most < 1 || most > similarItems.most)
    throw invalid(`most is a whole number from 1 to ${similarItems.most}`);
  if (catalogue.dimension === 0) throw invalid('the export has no embeddings');
  const own = 'item' in query ? catalogue.find(query.item) : catalogue.unknown;
  if ('item' in query && catalogue.present[own] !== 1) throw unknownItem(query.item);
  const vector = 'item' in query ? catalogue.vectorOf(own) : unitVector(query.embedding, catalogue.dimension);
  const found = await neighbours.nearest(vector, most, own);
  return found.map(({ item, cosine }) => {
    return { item: catalogue.ids[item]!, cosine };
  });
}

/** @throws CourierError VALUE_INVALID for one that has no direction */
function unitVector(embedding: Float32Array, dimension: number): Float32Array {
  if (embedding.length !== dimension || !embedding.every(Number.isFinite))
    throw invalid(`an embedding has ${dimension} finite numbers`);
  const scale = unitScale('(as given)', embedding);
  if (scale === 0) throw invalid('an embedding has numbers that are not 0');
  return embedding.map((value) => scale * value);
}
