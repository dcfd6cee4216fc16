/** What is the same for every shop: from what an adapter read to a dataset. */
import { join } from 'node:path';
import type { ProcessGroup } from '../../collectives/process-group.ts';
import { encodeCategories } from '../../data/categories.ts';
import { eventsInOrder, type UserEvents } from '../../data/clicks.ts';
import { BaseFeatures } from '../../data/counters/base-features.ts';
import { candidateFigures, findGivenAway } from '../../data/counters/candidate-figures.ts';
import {
  type Catalogue,
  type CategoricalColumn,
  type Dataset,
  type IngestReport,
  NONE,
  splits,
} from '../../data/dataset.ts';
import { Findings } from '../../data/findings.ts';
import { buildHistories } from '../../data/history.ts';
import { dataFiles } from '../../data/manifest.ts';
import { requireCountable } from '../../data/parts.ts';
import { decodePhotos, type PhotoPlace } from '../../data/photos/photos.ts';
import { formOf } from '../../data/photos/stored-photo.ts';
import type { SourceData, SourceItem } from '../../data/sources/source.ts';
import { quantileSplitTimes, splitByTime } from '../../data/sources/splits.ts';
import { eventsOfLogged, type LoadedTables, type UnsavedDataset } from '../../data/store.ts';
import type { WorkOptions } from '../../progress.ts';
import type { IngestConfig } from './config.ts';

/** A dataset that more is appended to. */
export interface Before extends LoadedTables {
  /** Texts of the codes of each context column. */
  readonly context: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly photos: PhotoPlace['before'];
  readonly report: IngestReport;
}

/** What the figures of a report are of: all page views, those of before among them. */
interface Whole {
  readonly clicks: UserEvents;
  readonly shown: UserEvents | null;
  readonly pageViews: {
    readonly user: Int32Array;
    readonly time: Float64Array;
    readonly split: Uint8Array;
    readonly start: Int32Array;
  };
  readonly exposures: { readonly item: Int32Array; readonly clicked: Uint8Array };
}

/**
 * Decodes photos into images.bin of the folder, which holds those of before, and puts the dataset together.
 * @param before what the data is appended to, of which page views and exposures of the result are none
 * @param group the processes that decode photos and count together
 * @throws CourierError SPLIT_EMPTY, CONFIG_INVALID, VALUE_INVALID
 */
export async function assemble(
  data: SourceData,
  config: IngestConfig,
  sourceName: string,
  folder: string,
  before: Before | null,
  options: WorkOptions,
  group: ProcessGroup,
): Promise<UnsavedDataset> {
  const { users, items, counterPeriod, pageViews, exposures } = data;
  const { side, historyLength } = config;
  const findings = new Findings();
  const { splitTimes, ...whole } = wholeOf(data, before);
  const categories = categoriesOf(data, before);
  const { user, time, start } = pageViews;
  const settings = {
    withExposures: whole.shown !== null,
    lag: 1000 * config.counterLag,
    period: counterPeriod,
  };
  const input = {
    clicks: whole.clicks,
    shown: whole.shown,
    settings,
    categories,
    pageViews,
    item: exposures.item,
    numeric: exposures.numeric,
  };
  const numeric = new BaseFeatures(input, { group });
  for (const { name, values } of exposures.numeric) {
    const gaps = values.reduce((sum, value) => sum + (Number.isNaN(value) ? 1 : 0), 0);
    findings.add(
      `Exposures without ${name}, filled with the mean of the training split where they are read`,
      undefined,
      gaps,
    );
  }
  const output = join(folder, dataFiles.images);
  const itemsBefore = before?.catalogue.ids.length ?? 0;
  const inputs = items.slice(itemsBefore).map(({ photo: input }) => input);
  const form = config.photosAs === 'auto' ? formOf(side) : config.photosAs;
  const place = { path: output, side, form, before: before?.photos ?? { count: 0, index: null } };
  const { photo, count, index } = await decodePhotos(inputs, place, findings, options, group);
  const catalogue = catalogueOf(items, photo, categories, before);
  const candidates = candidateFigures({ ...whole, counterPeriod });
  if (data.candidatesAreSampled) findGivenAway(candidates, findings);
  const history = data.history ?? buildHistories(whole.clicks, pageViews, users.length, historyLength);
  const split = whole.pageViews.split.subarray(whole.pageViews.split.length - user.length);
  const met = [...data.findings, ...findings.list()];
  return {
    name: config.name ?? sourceName,
    catalogue,
    users,
    splitTimes,
    pageViews: { user, time, split, start, history, historyLength },
    exposures: {
      item: exposures.item,
      clicked: exposures.clicked,
      logged: exposures.logged,
      context: contextOfExposures(data, before),
    },
    numeric,
    counted: { settings, clicks: whole.clicks, shown: whole.shown },
    images: { side, count, index },
    report: {
      counts: countsOf(whole, users.length, catalogue.photo, count),
      findings: before === null ? met : together(before.report.findings, met),
      understood:
        before === null
          ? [...data.understood]
          : [...before.report.understood, ...data.understood.map((text) => `Appended: ${text}`)],
      candidateSampling: data.candidateSampling,
      candidates,
    },
  };
}

function wholeOf(data: SourceData, before: Before | null): Whole & Pick<Dataset, 'splitTimes'> {
  const { pageViews, exposures } = data;
  const earlier = before?.pageViews;
  const user = concatenated(Int32Array, earlier?.user, pageViews.user);
  const time = concatenated(Float64Array, earlier?.time, pageViews.time);
  const rows = earlier?.start.at(-1) ?? 0;
  requireCountable(rows + exposures.item.length, 'The dataset with what is appended');
  const start = concatenated(
    Int32Array,
    earlier?.start.subarray(0, -1),
    pageViews.start.map((row) => rows + row),
  );
  const splitTimes = pageViews.splitTimes ?? quantileSplitTimes(time);
  const shown = before === null ? null : eventsOfLogged(before);
  return {
    clicks: eventsTogether(shown?.clicks ?? null, data.clicks),
    shown: data.shown === null ? null : eventsTogether(shown?.shown ?? null, data.shown),
    pageViews: { user, time, split: splitByTime(time, splitTimes), start },
    splitTimes,
    exposures: {
      item: concatenated(Int32Array, before?.exposures.item, exposures.item),
      clicked: concatenated(Uint8Array, before?.exposures.clicked, exposures.clicked),
    },
  };
}

function eventsTogether(earlier: UserEvents | null, later: UserEvents): UserEvents {
  if (earlier === null) return later;
  return eventsInOrder(
    concatenated(Int32Array, earlier.user, later.user),
    concatenated(Int32Array, earlier.item, later.item),
    concatenated(Float64Array, earlier.time, later.time),
  );
}

interface TypedMemory<Values> {
  readonly length: number;
  set(values: Values, offset?: number): void;
}

function concatenated<Values extends TypedMemory<Values>>(
  Memory: new (length: number) => Values,
  earlier: Values | undefined,
  later: Values,
): Values {
  if (earlier === undefined) return later;
  const both = new Memory(earlier.length + later.length);
  both.set(earlier);
  both.set(later, earlier.length);
  return both;
}

/** Codes of the categories of all items; those that were there keep theirs. */
function categoriesOf({ items, categoryNames }: SourceData, before: Before | null): CategoricalColumn[] {
  return categoryNames.map((name, column) => {
    const texts = items.map((item) => item.categories[column] ?? null);
    const known = before?.catalogue.categories[column];
    if (known === undefined) return encodeCategories(name, texts);
    const added = encodeCategories(name, texts.slice(known.codes.length), known.values);
    return { ...added, codes: concatenated(Int32Array, known.codes, added.codes) };
  });
}

function catalogueOf(
  items: readonly SourceItem[],
  photo: Int32Array,
  categories: readonly CategoricalColumn[],
  before: Before | null,
): Catalogue {
  const { ids: known, titles, photo: knownPhoto } = before?.catalogue ?? { ids: [], titles: [], photo: [] };
  const all = new Int32Array(known.length + photo.length);
  all.set(knownPhoto);
  all.set(photo, known.length);
  return {
    ids: items.map(({ id }) => id),
    titles: [...titles, ...items.slice(known.length).map(({ title }) => title)],
    photo: all,
    categories,
  };
}

/** Contexts of page views as those of their exposures. */
function contextOfExposures({ pageViews }: SourceData, before: Before | null): CategoricalColumn[] {
  const { context, start } = pageViews;
  return context.map((column, place) => {
    const known = before?.context[place];
    const { name, values, codes } = known === undefined ? column : recoded(column, known.values);
    const repeated = new Int32Array(start.at(-1) ?? 0);
    for (const [view, code] of codes.entries()) repeated.fill(code, start[view], start[view + 1]);
    return { name, values, codes: repeated };
  });
}

function recoded({ name, values, codes }: CategoricalColumn, before: readonly string[]): CategoricalColumn {
  const { values: all, codes: codeOf } = encodeCategories(name, values.slice(1), before);
  return { name, values: all, codes: codes.map((code) => (code === 0 ? 0 : codeOf[code - 1]!)) };
}

function countsOf(
  { clicks, pageViews, exposures }: Whole,
  users: number,
  photo: Int32Array,
  photos: number,
): Record<string, number> {
  const perSplit = splits.map((split, index) => [
    `page views ${split}`,
    pageViews.split.reduce((sum, each) => sum + (each === index ? 1 : 0), 0),
  ]);
  let clicked = 0;
  for (let view = 0; view < pageViews.user.length; view++) {
    if (exposures.clicked.subarray(pageViews.start[view], pageViews.start[view + 1]).includes(1)) clicked++;
  }
  return {
    items: photo.length,
    'items with photo': photo.filter((row) => row !== NONE).length,
    photos,
    users,
    clicks: clicks.item.length,
    'page views': pageViews.user.length,
    ...Object.fromEntries(perSplit),
    'page views with a click': clicked,
    exposures: exposures.item.length,
  };
}

/** Findings of before and of what was appended, those of one kind as one. */
function together(
  earlier: IngestReport['findings'],
  later: IngestReport['findings'],
): IngestReport['findings'] {
  const merged = new Findings();
  for (const { what, count, examples } of [...earlier, ...later]) {
    for (const example of examples) merged.add(what, example);
    merged.add(what, undefined, count - examples.length);
  }
  return merged.list();
}
