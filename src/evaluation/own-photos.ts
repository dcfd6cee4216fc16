/** Embeddings of another dataset: of photos that are not those of the items that go by the same ids here. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type Dataset, NONE } from '../data/dataset.ts';
import { embeddingFiles } from '../data/embeddings/embedding-files.ts';
import { readPhotoHashes } from '../data/embeddings/embeddings.ts';
import { readProvenance } from '../data/embeddings/provenance.ts';
import { Indexer } from '../data/indexer.ts';
import { CourierError } from '../errors.ts';
import { integer } from '../text.ts';

/** Items that are compared at most. */
const mostCompared = 1000;

/**
 * Refuses embeddings of the photos of a dataset whose items have, for the most part, other photos in this one. A dataset that
 * grew out of the other, by a new day or new photos, keeps most of them; photos of another side, or kept in another form, cannot be
 * compared.
 * @param name as `readEmbeddings` takes it
 * @throws CourierError VALUE_INVALID, those of reading
 */
export async function requireOwnPhotos(dataset: Dataset, name: string): Promise<void> {
  const { photosOf } = await readProvenance(name);
  const { catalogue, images } = dataset;
  if (photosOf === null || photosOf.dataset === dataset.hash) return;
  if (photosOf.side !== images.side || photosOf.kept !== images.form) return;
  const items = new Indexer(catalogue.ids);
  const photoOf = (id: string) => catalogue.photo[items.find(id) ?? -1] ?? NONE;
  const found = await readPhotoHashes(name, (id) => photoOf(id) !== NONE, mostCompared);
  const others = found.filter(({ id, hash }) => {
    const pixels = images.read([photoOf(id)]);
    return createHash('sha256').update(pixels).digest('hex') !== hash;
  });
  if (2 * others.length > found.length) throw ofAnother(name, others.length, found.length);
}

function ofAnother(name: string, others: number, compared: number): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${basename(embeddingFiles(name).vectors)} was made of the photos of another dataset: of ${integer(compared)} items that both have, ${integer(others)} have another photo here.`,
    'Embed the photos of this dataset with the same encoder: courier embed --dataset … --encoder ….',
  );
}
