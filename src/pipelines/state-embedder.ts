/** Embeddings by an encoder that is being trained. */
import type { Dataset } from '../data/dataset.ts';
import type { Encoder } from '../encoders/encoder.ts';
import { embeddingGraph, photoAxis } from '../encoders/export.ts';
import { batchSize } from '../encoders/load.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import { buildInference } from '../graph/training-step.ts';
import type { EmbedPhotos } from '../objectives/objective.ts';
import { type Engine, type EngineState, floats, type Session } from '../runtime/engine.ts';

/** Embeds photos with a vector of parameters as it stands in the engine. */
export async function createEmbedder(
  engine: Engine,
  encoder: Encoder,
  layout: ParameterLayout,
  state: EngineState,
  dataset: Dataset,
  vector: string,
): Promise<EmbedPhotos> {
  const { embeddings } = embeddingGraph(encoder);
  const openAxes = { photos: photoAxis, embeddings: photoAxis };
  const session = await engine.load(buildInference({ embeddings }, layout, openAxes, vector), state);
  return (photos) => embedInBatches(session, photos, dataset, encoder.dimension);
}

async function embedInBatches(session: Session, photos: Int32Array, dataset: Dataset, dimension: number) {
  const vectors = new Float32Array(photos.length * dimension);
  for (let from = 0; from < photos.length; from += batchSize) {
    const pixels = dataset.images.read(photos.subarray(from, from + batchSize));
    const results = await session.run({}, { photos: pixels });
    vectors.set(floats(results, 'embeddings'), from * dimension);
  }
  return vectors;
}
