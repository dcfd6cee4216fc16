/**
 * Training samples of COURIER: one click, what else its page view showed, and what its user clicked before.
 *
 * Letters in shapes: S samples, C candidates, H history places, U distinct photos of a batch.
 */
import { Random } from '../../random.ts';
import { type Dataset, NONE, type Split, splits } from '../dataset.ts';
import { Dealer } from './dealer.ts';

export interface ClickSamplerConfig {
  /** S, samples per batch. */
  readonly batchSize: number;
  /** C, at most this many candidates per sample, the clicked one included. */
  readonly candidates: number;
  /** H, at most this many earlier clicks, the newest ones. */
  readonly history: number;
  readonly seed: number;
}

/** Indices are rows of `photos`; where a mask is 0 they are 0 and mean nothing. */
export interface ClickBatch {
  /** Rows in the image cache, each once, ascending. (U) */
  readonly photos: Int32Array;
  /** (S) */
  readonly clicked: Int32Array;
  /** The clicked candidate first. (S, C) */
  readonly candidates: Int32Array;
  /** (S, C) */
  readonly candidateMask: Float32Array;
  /** Newest first, each photo once, without the clicked one. (S, H) */
  readonly history: Int32Array;
  /** (S, H) */
  readonly historyMask: Float32Array;
  /** (S) */
  readonly newest: Int32Array;
}

export interface ClickSample {
  readonly pageView: number;
  /** Row of the clicked exposure. */
  readonly row: number;
}

/** Every click of a split whose photo and at least one earlier photo, another one, are known. */
export function clickSamples(dataset: Dataset, split: Split): readonly ClickSample[] {
  const { pageViews, exposures, catalogue } = dataset;
  const wanted = splits.indexOf(split);
  const samples: ClickSample[] = [];
  for (let pageView = 0; pageView < pageViews.user.length; pageView++) {
    if (pageViews.split[pageView] !== wanted) continue;
    for (let row = pageViews.start[pageView]!; row < pageViews.start[pageView + 1]!; row++) {
      const photo = catalogue.photo[exposures.item[row]!]!;
      if (exposures.clicked[row] !== 1 || photo === NONE) continue;
      if (historyPhotos(dataset, pageView, photo, 1).length > 0) samples.push({ pageView, row });
    }
  }
  return samples;
}

/** Deals the clicks of the training split. */
export class ClickSampler extends Dealer<ClickBatch> {
  constructor(dataset: Dataset, config: ClickSamplerConfig) {
    const all = clickSamples(dataset, 'train');
    const random = Random.seeded(config.seed, 'click samples');
    super(all.length, config.batchSize, random, ({ samples, epoch, batch }) => {
      const draw = Random.seeded(config.seed, `candidates of epoch ${epoch}, batch ${batch}`);
      return assemble(
        dataset,
        config,
        Array.from(samples, (index) => all[index]!),
        draw,
      );
    });
  }
}

/**
 * Clicks of a split, chosen at random: as many as a batch has, or all if there are fewer.
 * @returns null when there are none
 */
export function clickBatch(
  dataset: Dataset,
  config: Omit<ClickSamplerConfig, 'seed'>,
  split: Split,
  random: Random,
): ClickBatch | null {
  const samples = clickSamples(dataset, split);
  const chosen = random.shuffle(Int32Array.from(samples, (_, index) => index)).slice(0, config.batchSize);
  if (chosen.length === 0) return null;
  return assemble(
    dataset,
    config,
    Array.from(chosen.sort(), (index) => samples[index]!),
    random,
  );
}

/** Looks up everything the samples show and numbers the distinct photos. */
function assemble(
  dataset: Dataset,
  { candidates: places, history: length }: Omit<ClickSamplerConfig, 'seed'>,
  samples: readonly ClickSample[],
  random: Random,
): ClickBatch {
  const shown = samples.map((sample) => candidatePhotos(dataset, sample, places, random));
  const earlier = samples.map(({ pageView }, sample) =>
    historyPhotos(dataset, pageView, shown[sample]![0]!, length),
  );
  const photos = Int32Array.from(new Set([...shown.flat(), ...earlier.flat()])).sort();
  const rowOf = new Map(Array.from(photos, (photo, row) => [photo, row]));
  const padded = (lists: readonly (readonly number[])[], width: number) => {
    const rows = new Int32Array(lists.length * width);
    const mask = new Float32Array(lists.length * width);
    for (const [index, list] of lists.entries()) {
      for (const [place, photo] of list.entries()) {
        rows[index * width + place] = rowOf.get(photo)!;
        mask[index * width + place] = 1;
      }
    }
    return { rows, mask };
  };
  const candidates = padded(shown, places);
  const history = padded(earlier, length);
  return {
    photos,
    clicked: Int32Array.from(shown, ([first]) => rowOf.get(first!)!),
    candidates: candidates.rows,
    candidateMask: candidates.mask,
    history: history.rows,
    historyMask: history.mask,
    newest: Int32Array.from(earlier, ([first]) => rowOf.get(first!)!),
  };
}

/** The clicked photo, then unclicked ones of the same page view, a random choice where there are more. */
function candidatePhotos(
  { pageViews, exposures, catalogue }: Dataset,
  sample: ClickSample,
  places: number,
  random: Random,
) {
  const others: number[] = [];
  for (let row = pageViews.start[sample.pageView]!; row < pageViews.start[sample.pageView + 1]!; row++) {
    const photo = catalogue.photo[exposures.item[row]!]!;
    if (exposures.clicked[row] === 0 && photo !== NONE) others.push(photo);
  }
  if (others.length > places - 1) random.shuffle(others);
  return [catalogue.photo[exposures.item[sample.row]!]!, ...others.slice(0, places - 1)];
}

/**
 * Photos of the newest earlier clicks, each once, without one that is compared with them: to find a photo among its own
 * copies teaches nothing. An item without a photo to show leaves its place to the next.
 */
export function historyPhotos(
  { pageViews, catalogue }: Pick<Dataset, 'pageViews' | 'catalogue'>,
  pageView: number,
  compared: number,
  length: number,
): number[] {
  const from = pageView * pageViews.historyLength;
  const items = pageViews.history.subarray(from, from + pageViews.historyLength);
  const photos = new Set(Array.from(items, (item) => (item === NONE ? NONE : catalogue.photo[item]!)));
  return [...photos].filter((photo) => photo !== NONE && photo !== compared).slice(0, length);
}
