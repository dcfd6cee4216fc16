/** Embeddings of a dataset's items that say nothing, for tests of what is done with them. */
import { writeEmbeddings } from '../../src/data/embeddings.ts';
import { loadDataset } from '../../src/data/store.ts';
import { Random } from '../../src/random.ts';

/** Writes random directions in four dimensions. @returns the path */
export async function randomEmbeddings(path: string, dataset: string): Promise<string> {
  const { catalogue, images } = await loadDataset(dataset);
  images.close();
  const random = Random.seeded(1, 'directions');
  const vectors = Float32Array.from(catalogue.ids.flatMap(() => direction(random)));
  await writeEmbeddings(path, { ids: catalogue.ids, dimension: 4, vectors });
  return path;
}

function direction(random: Random): readonly number[] {
  const values = Array.from({ length: 4 }, () => random.normal());
  return values.map((value) => value / Math.hypot(...values));
}
