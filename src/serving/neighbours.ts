/** Items whose photos look alike: all compared where they are few, a graph of neighbours where they are many. */
import { safePlace } from '../progress.ts';
import type { LiveCatalogue } from './catalogue.ts';

export interface NearItem {
  /** Number in the catalogue. */
  readonly item: number;
  readonly cosine: number;
}

/** The part of a catalogue that is searched. */
export type Searched = Pick<LiveCatalogue, 'dimension' | 'vectors' | 'present' | 'vectorOf'> & {
  readonly ids: { readonly length: number };
};

export interface Neighbours {
  readonly kind: 'exact' | 'hnsw' | 'pgvector';
  /** Takes note that the embedding of an item came, changed or went. */
  update(item: number): void;
  /**
   * The items with the largest cosines, largest first.
   * @param vector of length 1. (d)
   * @param most how many at most
   * @param but an item that is not wanted, NONE for none
   */
  nearest(vector: Float32Array, most: number, but: number): Promise<readonly NearItem[]>;
  release(): Promise<void>;
}

/** Items from which on a graph is searched: a comparison with all of them takes some 10 ms from there on. */
export const exactLimit = 50_000;

/** Where the package has no library for this machine, everything is compared. */
export async function openNeighbours(
  catalogue: Searched,
  signal?: AbortSignal,
  most: number = exactLimit,
): Promise<Neighbours> {
  const exact = exactNeighbours(catalogue);
  if (catalogue.ids.length <= most || catalogue.dimension === 0) return exact;
  return (await graphNeighbours(catalogue, signal)) ?? exact;
}

function exactNeighbours(catalogue: Searched): Neighbours {
  return {
    kind: 'exact',
    update: () => undefined,
    nearest: async (vector, most, but) =>
      bestOf(
        (function* () {
          for (let item = 0; item < catalogue.ids.length; item++)
            if (catalogue.present[item] === 1 && item !== but) yield item;
        })(),
        catalogue,
        vector,
        most,
      ),
    release: async () => undefined,
  };
}

/** Links of a node, and candidates that are looked at while the graph is built and searched (Malkov and Yashunin, 2018). */
export const graphSettings = { connectivity: 16, expansion_add: 128, expansion_search: 128 } as const;

/** So many more are asked for than are wanted, of which the best by their own cosines are taken. */
export const oversampling = 4;

/** Items that are linked without a pause: some ten milliseconds. */
const itemsBetweenPauses = 64;

/** @returns null where the library cannot be loaded */
async function graphNeighbours(
  catalogue: Searched,
  signal: AbortSignal | undefined,
): Promise<Neighbours | null> {
  const library = await import('usearch').catch(() => null);
  if (library === null) return null;
  const { Index, MetricKind, ScalarKind } = library;
  const index = new Index({
    dimensions: catalogue.dimension,
    metric: MetricKind.IP,
    quantization: ScalarKind.F32,
    multi: false,
    ...graphSettings,
  });
  const update = (item: number) => {
    const key = BigInt(item);
    if (index.contains(key)) index.remove(key);
    if (catalogue.present[item] === 1) index.add(key, catalogue.vectorOf(item).slice());
  };
  for (let item = 0; item < catalogue.ids.length; item++) {
    if (item % itemsBetweenPauses === 0) await safePlace(signal);
    if (catalogue.present[item] === 1) update(item);
  }
  return {
    kind: 'hnsw',
    update,
    async nearest(vector, most, but) {
      const { keys } = index.search(vector, oversampling * (most + 1), 1);
      const items = Array.from(keys, Number).filter((item) => item !== but && catalogue.present[item] === 1);
      return bestOf(items, catalogue, vector, most);
    },
    release: async () => undefined,
  };
}

/** The best of some items by their cosines; of equal ones the first. */
export function bestOf(
  items: Iterable<number>,
  { dimension, vectors }: Searched,
  vector: Float32Array,
  most: number,
): readonly NearItem[] {
  const found: NearItem[] = [];
  for (const item of items) {
    let cosine = 0;
    for (let i = 0, at = item * dimension; i < dimension; i++, at++) cosine += vector[i]! * vectors[at]!;
    if (found.length === most && cosine <= found[most - 1]!.cosine) continue;
    let place = found.length;
    while (place > 0 && found[place - 1]!.cosine < cosine) place--;
    found.splice(place, 0, { item, cosine });
    if (found.length > most) found.pop();
  }
  return found;
}
