/**
 * All that a service knows at a moment: what an export has, and what its log tells since. The tables of counters and
 * the features are those of training themselves; what differs is only how they are told of events.
 */
import { Completion } from '../data/counters/completion.ts';
import type { Counters } from '../data/counters/counters.ts';
import { noNumbers } from '../data/counters/numeric-rows.ts';
import { type FeatureData, NONE } from '../data/dataset.ts';
import type { Indexer } from '../data/indexer.ts';
import { type VisualFeature, widthOf } from '../data/visual-feature.ts';
import { createFeature, type FeatureSet, featureSet } from '../features/index.ts';
import { simScoreValue } from '../features/sim-score.ts';
import type { RankerDescription } from '../rankers/export-format.ts';
import type { ColumnEncoder, ExposureColumns } from '../rankers/exposure-columns.ts';
import type { LiveCatalogue } from './catalogue.ts';
import type { Content } from './events.ts';
import type { ServingManifest } from './format.ts';
import type { Histories } from './histories.ts';

/** Candidates of one page view. */
export interface PageView {
  /** The id of its user, null for nobody in particular. */
  readonly user: string | null;
  /** Milliseconds. */
  readonly time: number;
  /** In the order of the ranker's layout, null where it is not known. */
  readonly context: readonly (string | null)[];
  /** Items clicked before, newest first, each once: those beyond H are looked at where a feature retrieves. */
  readonly history: readonly string[];
  /** Ids of items. (n) */
  readonly candidates: readonly string[];
  /** false: as if no item had a photo. */
  readonly images: boolean;
}

/** What is known of the candidates of a page view: the input of a ranker. */
export interface DescribedView {
  /** When it was described, no earlier than what was described before. */
  readonly time: number;
  /** Numbers of the candidates in the catalogue. (n) */
  readonly candidates: Int32Array;
  /** Whether photos were looked at. */
  readonly images: boolean;
  /** The history that the ranker looks at, newest first. */
  readonly history: readonly NumberedItem[];
  /** Base features as a dataset has them, by the names of `LiveState.baseNames`. (n, F) */
  readonly base: Float32Array;
  readonly columns: ExposureColumns;
  /** SimScore of each candidate; NaN where nothing can be compared. (n) */
  readonly simScores: Float32Array;
}

/** An item by its id, and its number in the catalogue. */
export interface NumberedItem {
  readonly id: string;
  readonly item: number;
}

interface Parts {
  readonly manifest: ServingManifest;
  readonly about: RankerDescription;
  readonly encoder: ColumnEncoder;
  readonly catalogue: LiveCatalogue;
  readonly users: Indexer;
  readonly counters: Counters;
  readonly histories: Histories;
}

export class LiveState {
  readonly catalogue: LiveCatalogue;
  readonly histories: Histories;
  /** Columns of base features, as a dataset of such a log has them. (F) */
  readonly baseNames: readonly string[];
  readonly #manifest: ServingManifest;
  readonly #about: RankerDescription;
  readonly #encoder: ColumnEncoder;
  readonly #users: Indexer;
  readonly #counters: Counters;
  readonly #completion: Completion;
  /** Where in a row of base features each of the ranker's dense columns is, and how far the dataset goes there. (N) */
  readonly #dense: readonly { readonly at: number; readonly least: number; readonly most: number }[];
  readonly #features: FeatureSet | null;
  /** Up to when the shop has been heard of. Milliseconds. */
  #heard: number;

  /** @throws Error where parts do not fit each other */
  constructor({ manifest, about, encoder, catalogue, users, counters, histories }: Parts) {
    this.#manifest = manifest;
    this.#about = about;
    this.#encoder = encoder;
    this.catalogue = catalogue;
    this.#users = users;
    this.#counters = counters;
    this.histories = histories;
    this.#heard = manifest.until;
    const logged = manifest.numeric.map(({ name }) => name);
    const means = manifest.numeric.flatMap(({ name, mean, gaps }): [string, number][] =>
      gaps ? [[name, mean]] : [],
    );
    this.#completion = new Completion([...counters.names, ...logged], new Map(means));
    this.baseNames = this.#completion.names;
    this.#dense = about.dense.map(({ name }) => {
      const at = this.baseNames.indexOf(name);
      const range = manifest.ranges.find((each) => each.name === name);
      if (at === -1 || range === undefined)
        throw new Error(`the ranker wants the base feature ${name}, which there is not`);
      return { at, least: range.least, most: range.most };
    });
    this.#features = about.visual.features === null ? null : featureSet(about.visual.features);
  }

  /** The time of the newest event, and no earlier than up to where the export knows everything. Milliseconds. */
  get heard(): number {
    return this.#heard;
  }

  /** Users that are known. */
  get users(): number {
    return this.#users.ids.length;
  }

  /**
   * Takes note of what the log has next. Events of before `until` are in the export's state already.
   * @param embedding of an item, by the encoder of this export
   */
  apply(content: Content, embedding: Float32Array | null): number | null {
    switch (content.kind) {
      case 'item':
        return this.catalogue.put(content.id, {
          categories: content.categories,
          numeric: content.numeric,
          picture: content.photo?.picture ?? null,
          embedding,
        });
      case 'removal':
        return this.catalogue.remove(content.id);
      default: {
        if (this.covers(content.time)) return null;
        const user = this.#users.indexOf(content.user);
        const item = this.catalogue.numberOf(content.item);
        const { kind, time } = content;
        this.#heard = Math.max(this.#heard, time);
        // Where a log knows no exposures, the counters of training did not either.
        if (kind === 'click' || this.#manifest.counters.withExposures)
          this.#counters.observe({ kind, user, item, time });
        if (kind === 'click') this.histories.add(user, item, time);
        return null;
      }
    }
  }

  /** Whether an event of a time is in the export's state. */
  covers(time: number): boolean {
    return time < this.#manifest.until;
  }

  /** What a user clicked before a time, newest first, each once. */
  historyOf(user: string | null, time: number): readonly string[] {
    const items = this.histories.before(this.#numberOf(user), this.#timeOf(time));
    return items.map((item) => this.catalogue.ids[item]!);
  }

  /**
   * The features of the candidates of a page view, as training made them.
   * @param given base features that are known already, in place of the counters' (n, F)
   * @param numeric what the caller knows of columns of the log; NaN where the catalogue has to know. (n) each
   */
  describe(
    view: PageView,
    numeric: ReadonlyMap<string, ArrayLike<number>> = new Map(),
    given: Float32Array | null = null,
  ): DescribedView {
    const { catalogue } = this;
    const { historyLength } = this.#about.layout;
    const time = given === null ? this.#timeOf(view.time) : view.time;
    const candidates = Int32Array.from(view.candidates, (id) => catalogue.find(id));
    const clicked = view.history.map((id) => ({ id, item: catalogue.find(id) }));
    const history = clicked.slice(0, historyLength);
    const base = given ?? this.#baseOf(view.user, time, candidates, numeric);
    const seen = (item: number) => (view.images ? item : catalogue.unknown);
    const numbers = clicked.map(({ item }) => seen(item));
    const data = dataOf(catalogue, candidates.map(seen), numbers, historyLength, time);
    const feature = this.#features === null ? null : createFeature(this.#features, data, this.#inputs());
    const columns = this.#columnsOf(view, candidates, history, base, feature);
    const simScores = this.#simScores(data, candidates.length);
    return { time, candidates, images: view.images, history, base, columns, simScores };
  }

  /** (n, F) */
  #baseOf(
    user: string | null,
    time: number,
    candidates: Int32Array,
    numeric: ReadonlyMap<string, ArrayLike<number>>,
  ): Float32Array {
    const counted = this.#counters.names.length;
    const logged = this.#manifest.numeric;
    const width = counted + logged.length;
    const raw = new Float32Array(candidates.length * width);
    const known = new Float64Array(counted);
    const number = this.#numberOf(user);
    const columns = logged.map(({ name }) => numeric.get(name) ?? null);
    for (let index = 0, at = 0; index < candidates.length; index++) {
      const item = candidates[index]!;
      this.#counters.describe(item, number, time, known);
      for (let column = 0; column < counted; column++) raw[at++] = known[column]!;
      for (let column = 0; column < logged.length; column++) {
        const own = this.catalogue.numeric[column]?.values[item] ?? Number.NaN;
        const told = columns[column]?.[index] ?? Number.NaN;
        const value = Number.isNaN(told) ? own : told;
        const { gaps, mean } = logged[column]!;
        // Where training never saw a gap, the mean has to do: there is nothing that a ranker could have learned of gaps.
        raw[at++] = Number.isNaN(value) && !gaps ? mean : value;
      }
    }
    if (this.#completion.isWhole) return raw;
    const base = new Float32Array(candidates.length * this.baseNames.length);
    this.#completion.fill(raw, base);
    return base;
  }

  #columnsOf(
    { user, context, candidates: ids, images }: PageView,
    candidates: Int32Array,
    history: readonly NumberedItem[],
    base: Float32Array,
    feature: VisualFeature | null,
  ): ExposureColumns {
    const { layout, visual, gate } = this.#about;
    const { historyLength } = layout;
    const [count, encoder, catalogue] = [candidates.length, this.#encoder, this.catalogue];
    const lookups = new Int32Array(count * encoder.lookups);
    const codesOf = (item: number) => catalogue.codeRowsOf(images ? item : catalogue.unknown);
    const items = [{ id: ids[0]!, item: candidates[0]! }, ...history];
    encoder.write(
      lookups,
      0,
      encoder.situationRows(user, context),
      items.map(({ id, item }) => catalogue.rowsOf(item, id)),
      items.map(({ item }) => codesOf(item)),
    );
    const historyMask = new Float32Array(count * historyLength);
    for (let index = 0; index < count; index++) {
      const at = index * encoder.lookups;
      const item = candidates[index]!;
      if (index > 0) {
        lookups.copyWithin(at, 0, encoder.lookups);
        const rows = catalogue.rowsOf(item, ids[index]!);
        encoder.writeCandidate(lookups, at, rows, codesOf(item));
      }
      historyMask.fill(1, index * historyLength, index * historyLength + history.length);
    }
    const rows = candidates.map((_, index) => index);
    const width = visual.groups.flat().length;
    if (width !== (feature === null ? 0 : widthOf(feature)))
      throw new Error(`the features ${visual.features} do not have the ranker's ${width} values`);
    const seen = new Float32Array(count * width);
    feature?.fill(rows, seen);
    const nearness = new Float32Array(visual.nearness ? count * historyLength : 0);
    if (visual.nearness) feature?.fillNearness?.(rows, nearness);
    return {
      count,
      lookups,
      historyMask,
      dense: this.#denseOf(base, count),
      visual: seen,
      nearness,
      category: candidates.map((item) =>
        encoder.gateOf(
          gate?.category === null || gate === null ? null : catalogue.textOf(item, gate.category),
        ),
      ),
    };
  }

  /**
   * The ranker's columns of base features, none beyond what the dataset shows: what a ranker makes of more, such as of a state that
   * nothing has been told for months, is no knowledge of anything. (n, F) → (n, N)
   */
  #denseOf(base: Float32Array, count: number): Float32Array {
    const width = this.baseNames.length;
    const dense = new Float32Array(count * this.#dense.length);
    for (let index = 0, to = 0; index < count; index++)
      for (const { at, least, most } of this.#dense)
        dense[to++] = Math.min(Math.max(base[index * width + at]!, least), most);
    return dense;
  }

  #simScores(data: FeatureData, count: number): Float32Array {
    const values = new Float32Array(count).fill(Number.NaN);
    if (this.catalogue.dimension === 0) return values;
    const simScoreOf = simScoreValue(data, this.catalogue);
    for (let row = 0; row < count; row++) values[row] = simScoreOf(row) ?? Number.NaN;
    return values;
  }

  #inputs() {
    const codes = this.catalogue.codes;
    return {
      embeddings: this.catalogue,
      clusters: codes.filter(({ name }) => name.startsWith('cluster_')),
      semanticIds: codes.filter(({ name }) => name.startsWith('semantic_')),
    };
  }

  #numberOf(user: string | null): number {
    return user === null ? NONE : (this.#users.find(user) ?? NONE);
  }

  /**
   * Counters have seen what was before the last description: none is made of an earlier moment. Nor of one that is later than the shop
   * was ever silent for: then nobody told what happened, and counters would fade as if nothing had.
   */
  #timeOf(time: number): number {
    return Math.max(Math.min(time, this.#heard + this.#manifest.silence), this.#counters.time);
  }
}

/** One page view as a log of one page view, which features take as they take a dataset. */
function dataOf(
  catalogue: LiveCatalogue,
  candidates: Int32Array,
  history: readonly number[],
  historyLength: number,
  time: number,
): FeatureData {
  const recent = new Int32Array(historyLength).fill(NONE);
  recent.set(history.slice(0, historyLength));
  return {
    catalogue,
    pageViews: {
      user: Int32Array.of(0),
      time: Float64Array.of(time),
      split: Uint8Array.of(0),
      start: Int32Array.of(0, candidates.length),
      history: recent,
      historyLength,
    },
    exposures: {
      item: candidates,
      clicked: new Uint8Array(candidates.length),
      numeric: noNumbers,
      context: [],
    },
    // Long histories are looked up in clicks, in the order of time.
    clicks: {
      user: new Int32Array(history.length),
      item: Int32Array.from(history).reverse(),
      time: Float64Array.from(history, (_, place) => time - history.length + place),
    },
  };
}
