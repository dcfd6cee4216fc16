/** Files of embeddings that a user gives, of any encoder, as rows of a table. */
import { z } from 'zod';
import type { Dataset } from '../data/dataset.ts';
import { hashEmbeddings } from '../data/embeddings/embeddings.ts';
import { requireNoLeak } from './leaks.ts';
import { requireOwnPhotos } from './own-photos.ts';
import type { VisualRow } from './ranker-trainer.ts';
import { loadKnownEmbeddings } from './visual-inputs.ts';

/** What given embeddings may be called, since their name is that of files. */
const plainName = /^[A-Za-z0-9][\w.-]{0,39}$/;

/** Files at most. */
const mostGiven = 12;

/** Files by name. */
export type GivenEmbeddings = Readonly<Record<string, string>>;

export const givenEmbeddings = z
  .record(z.string(), z.string().min(1))
  .refine(
    (files) => Object.keys(files).every((name) => plainName.test(name)),
    'has a name of other than letters, digits, `_`, `.` and `-`',
  )
  .refine(
    (files) => !Object.keys(files).some((name) => name.toLowerCase() === 'none'),
    'calls a file `none`, which is the row without images',
  )
  .refine((files) => Object.keys(files).length <= mostGiven, `more than ${mostGiven} files`)
  .default({});

/**
 * Refuses before anything is trained what could not be used, or would tell clicks of the test period.
 * @throws CourierError those of `readEmbeddings`, `requireNoLeak` and `requireOwnPhotos`; VALUE_INVALID where no item of the dataset is in them
 */
export async function requireUsable(
  dataset: Dataset,
  given: GivenEmbeddings,
  allowLeak: boolean,
): Promise<void> {
  for (const path of Object.values(given)) {
    await requireOwnPhotos(dataset, path);
    if (!allowLeak) await requireNoLeak(dataset, path);
    await loadKnownEmbeddings(dataset, path);
  }
}

/** What a run is known by: the content of the files, not where they lie. */
export async function hashesOf(given: GivenEmbeddings): Promise<GivenEmbeddings> {
  const hashes: Record<string, string> = {};
  for (const [name, path] of Object.entries(given)) hashes[name] = await hashEmbeddings(path);
  return hashes;
}

/** A row for each file and set of features. */
export function givenRows(given: GivenEmbeddings, features: readonly string[]): readonly VisualRow[] {
  return Object.entries(given).flatMap(([source, path]) =>
    features.map((set): VisualRow => ({ source, features: set, embeddings: () => path })),
  );
}
