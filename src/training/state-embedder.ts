/** Embeddings by an encoder that is being trained. */
import type { ProcessGroup } from '../collectives/process-group.ts';
import { evenShares, ownShare } from '../collectives/shares.ts';
import { type BatchEncoder, embedRows } from '../encoders/embed-rows.ts';
import type { Encoder, SeenPhotos } from '../encoders/encoder.ts';
import { embeddingGraph, photoAxis } from '../encoders/export.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import { buildInference } from '../graph/training-step.ts';
import type { EmbedPhotos } from '../objectives/objective.ts';
import { type EngineState, floats, type ModelLoader } from '../runtime/engine.ts';

/**
 * Embeds photos with a vector of parameters as it stands in the engine.
 * @param group the processes that share this: each embeds some of the photos, and all get all embeddings
 */
export async function createEmbedder(
  engine: ModelLoader,
  encoder: Encoder,
  layout: ParameterLayout,
  state: EngineState,
  seen: SeenPhotos,
  vector: string,
  group: ProcessGroup,
): Promise<EmbedPhotos> {
  const { embeddings } = embeddingGraph(encoder);
  const openAxes = { photos: photoAxis, embeddings: photoAxis };
  const session = await engine.load(buildInference({ embeddings }, layout, openAxes, vector), state);
  const embedded: BatchEncoder = {
    dimension: encoder.dimension,
    size: 1,
    embed: async (photos) => floats(await session.run({}, { photos }), 'embeddings'),
  };
  const { dimension } = encoder;
  return async (photos) => {
    const shares = evenShares(photos.length, group);
    const { from, to } = ownShare(shares, group);
    const all = new Float32Array(photos.length * dimension);
    if (to > from) all.set(await embedRows(embedded, seen, photos.subarray(from, to)), from * dimension);
    await group.allGather(
      all,
      shares.map((share) => share * dimension),
    );
    return all;
  };
}
