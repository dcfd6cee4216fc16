/** What nobody knows of a real shop: how each item looks, and which taste was behind each click. */
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import { readInput } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';
import type { ShopItem } from './catalogue.ts';
import type { ShopPageView } from './log.ts';
import { colours, patterns, shapes, tastes } from './looks.ts';

const tasteIndex = z.int().nonnegative();

const truthSchema = z.strictObject({
  format: z.literal('courier-shop-truth-1'),
  tastes: z.array(z.strictObject({ colour: z.enum(colours), pattern: z.enum(patterns) })),
  items: z.array(
    z.strictObject({
      id: z.string().min(1),
      shape: z.enum(shapes),
      colour: z.enum(colours),
      pattern: z.enum(patterns),
      taste: tasteIndex,
    }),
  ),
  clicks: z.array(
    z.strictObject({
      pageView: z.string().min(1),
      user: z.string().min(1),
      time: z.number(),
      item: z.string().min(1),
      taste: tasteIndex.nullable(),
    }),
  ),
});

export type TruthFile = z.output<typeof truthSchema>;

/** A click and the taste behind it: null when the item was clicked for its price, place or popularity. */
export type TrueClick = Readonly<TruthFile['clicks'][number]>;

export function truthOf(catalogue: readonly ShopItem[], log: readonly ShopPageView[]): TruthFile {
  return {
    format: 'courier-shop-truth-1',
    tastes: tastes.map((taste) => ({ ...taste })),
    items: catalogue.map(({ id, look, taste }) => ({ id, ...look, taste })),
    clicks: log.flatMap(({ id, user, time, taste, exposures }) =>
      exposures
        .filter(({ clicked }) => clicked)
        .map(({ item }) => ({
          pageView: id,
          user,
          time,
          item: catalogue[item]!.id,
          taste: catalogue[item]!.taste === taste ? taste : null,
        })),
    ),
  };
}

/**
 * Reads the truth beside a generated shop.
 * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE or FILE_CORRUPT
 */
export async function loadTruth(path: string): Promise<Truth> {
  const text = (await readInput(path, 'Truth of the generated shop')).toString('utf8');
  return new Truth(parseTruth(text, path));
}

function parseTruth(text: string, path: string): TruthFile {
  const parsed = truthSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw corrupt(path, issue ? `${issue.path.join('.') || 'the whole'}: ${issue.message}` : 'invalid');
  }
  const unknown = [...parsed.data.items, ...parsed.data.clicks].find(
    ({ taste }) => taste !== null && taste >= parsed.data.tastes.length,
  );
  if (unknown !== undefined) throw corrupt(path, `there is no taste ${unknown.taste}`);
  return parsed.data;
}

function corrupt(path: string, reason: string): CourierError {
  return new CourierError(
    'FILE_CORRUPT',
    `${path} is not the truth of a generated shop (${reason}).`,
    'Generate the shop again.',
  );
}

/** Answers which taste was behind a click, for checking what attention looks at. */
export class Truth {
  readonly items: ReadonlyMap<string, TruthFile['items'][number]>;
  readonly #ofPageView = new Map<string, TrueClick>();
  /** Clicks of one user on one item, in order of time. */
  readonly #ofUser = new Map<string, TrueClick[]>();

  constructor(file: TruthFile) {
    this.items = new Map(file.items.map((item) => [item.id, item]));
    for (const click of file.clicks) {
      this.#ofPageView.set(keyOf(click.pageView, click.item), click);
      const key = keyOf(click.user, click.item);
      const clicks = this.#ofUser.get(key);
      if (clicks === undefined) this.#ofUser.set(key, [click]);
      else clicks.push(click);
    }
    for (const clicks of this.#ofUser.values()) clicks.sort((a, b) => a.time - b.time);
  }

  /** The taste behind the click on an item of a page view; undefined when there was no click or no taste. */
  tasteOf(pageView: string, item: string): number | undefined {
    return this.#ofPageView.get(keyOf(pageView, item))?.taste ?? undefined;
  }

  /** The user's click on the item at exactly that time, in milliseconds. */
  clickAt(user: string, item: string, time: number): TrueClick | undefined {
    return this.#ofUser.get(keyOf(user, item))?.findLast((click) => click.time === time);
  }

  /** The user's latest click on the item strictly before a time: the one that a history item stands for. */
  clickBefore(user: string, item: string, time: number): TrueClick | undefined {
    return this.#ofUser.get(keyOf(user, item))?.findLast((click) => click.time < time);
  }
}

/** True when the same taste was behind both clicks. A click without a taste shares it with none. */
export function sharesTaste(a: TrueClick, b: TrueClick): boolean {
  return a.taste !== null && a.taste === b.taste;
}

function keyOf(...parts: string[]): string {
  return JSON.stringify(parts);
}
