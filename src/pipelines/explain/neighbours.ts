/** The items nearest to an item, by several files of embeddings side by side. */
import { type Dataset, NONE } from '../../data/dataset.ts';
import { photoOf } from '../../evaluation/examples.ts';
import type { ItemEmbeddings } from '../../features/item-embeddings.ts';
import type { NeighbourComparison } from '../../report/explanation.ts';
import type { NamedEmbeddings } from './encoder.ts';

interface Neighbour {
  /** Index into the catalogue. */
  readonly item: number;
  readonly cosine: number;
}

/** @param items indices into the catalogue */
export async function compareNeighbours(
  dataset: Dataset,
  items: readonly number[],
  sources: readonly NamedEmbeddings[],
  count: number,
): Promise<readonly NeighbourComparison[]> {
  return Promise.all(
    items.map(async (item) => ({
      item: await photoOf(dataset, item),
      sources: await Promise.all(
        sources.map(async ({ name, embeddings }) => ({
          name,
          neighbours: await withPhotos(nearestItems(dataset, embeddings, item, count)),
        })),
      ),
    })),
  );

  async function withPhotos(found: readonly Neighbour[] | null) {
    if (found === null) return null;
    return Promise.all(
      found.map(async ({ item, cosine }) => ({ photo: await photoOf(dataset, item), cosine })),
    );
  }
}

/**
 * The nearest items by cosine, equal ones in the order of the catalogue. Each photo comes once, the item's own not at
 * all: copies say nothing about embeddings.
 * @returns null for an item without an embedding
 */
export function nearestItems(
  { catalogue }: Pick<Dataset, 'catalogue'>,
  embeddings: ItemEmbeddings,
  item: number,
  count: number,
): readonly Neighbour[] | null {
  const { present } = embeddings;
  if (present[item] !== 1) return null;
  const cosines = Float64Array.from(present, (one, other) =>
    one === 1 ? embeddings.cosine(item, other) : -2,
  );
  const photos = new Set([catalogue.photo[item]!]);
  const found: Neighbour[] = [];
  for (const other of Array.from(present.keys()).sort((a, b) => cosines[b]! - cosines[a]! || a - b)) {
    const photo = catalogue.photo[other]!;
    if (present[other] !== 1 || found.length === count) break;
    if (other === item || photos.has(photo)) continue;
    if (photo !== NONE) photos.add(photo);
    found.push({ item: other, cosine: cosines[other]! });
  }
  return found;
}
