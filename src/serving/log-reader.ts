/** Brings a deployment up to what the log has. */
import { CourierError } from '../errors.ts';
import type { Deployment } from './deployment.ts';
import { type Content, decodeContent, decodeVector, type KeptItem } from './events.ts';
import { seePhoto } from './photo.ts';
import type { StateStore } from './state-store.ts';

/** Entries that are read at a time. */
const entriesAtATime = 2000;

/** Reads all that a deployment does not know yet. Only one call at a time may work on a deployment. */
export async function catchUp(deployment: Deployment, store: StateStore): Promise<void> {
  for (;;) {
    const entries = await store.read(deployment.position, entriesAtATime);
    for (const { position, content } of entries) {
      const kept = decodeContent(content);
      if (kept !== null) await take(deployment, store, kept.is);
      deployment.position = position;
    }
    if (entries.length < entriesAtATime) return;
  }
}

async function take(deployment: Deployment, store: StateStore, content: Content): Promise<void> {
  const embedding = content.kind === 'item' ? await embeddingOf(deployment, store, content) : null;
  const item = deployment.state.apply(content, embedding);
  if (item !== null) deployment.neighbours.update(item);
}

/** Of an item, by the encoder of the deployment: what another one made says nothing here. */
async function embeddingOf(
  { encoder, manifest }: Deployment,
  store: StateStore,
  { photo, embedding }: KeptItem,
): Promise<Float32Array | null> {
  if (manifest.embeddings === null) return null;
  const { dimension, encoder: made } = manifest.embeddings;
  if (embedding !== null && embedding.encoder === made) {
    const vector = decodeVector(embedding.vector);
    return vector.length === dimension && vector.every(Number.isFinite) ? vector : null;
  }
  if (photo === null || encoder === null) return null;
  const bytes = await store.kept(photo.file);
  if (bytes === null) return null;
  try {
    const { pixels } = await seePhoto(bytes, manifest.photos.side, manifest.photos.kept);
    return await encoder.embed(pixels);
  } catch (error) {
    // A log that cannot be read on for one photo would be the end of all that follows.
    if (error instanceof CourierError && error.code === 'VALUE_INVALID') return null;
    throw error;
  }
}
