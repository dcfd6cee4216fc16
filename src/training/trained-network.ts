/** A pretrained network whose last part is trained, with what its frozen part says of the photos of a dataset. */
import { resolve } from 'node:path';
import type { Backbone } from '../backbones/backbone.ts';
import type { FineTuneSettings } from '../backbones/settings.ts';
import { sideBySide } from '../backbones/side-by-side.ts';
import { openTrainable, type TrainedBackbone } from '../backbones/trainable.ts';
import type { Dataset } from '../data/dataset.ts';
import type { BackboneEncoderConfig } from '../encoders/backbone.ts';
import type { Encoder, SeenPhotos } from '../encoders/encoder.ts';
import { trainedBackbone } from '../encoders/trained-backbone.ts';
import { namedParts, type ParameterLayout } from '../graph/parameters.ts';
import { silent, type WorkOptions } from '../progress.ts';
import type { Engine } from '../runtime/engine.ts';
import { formatBytes } from '../runtime/memory.ts';
import { keptFeatures } from './backbone-features.ts';
import { type Projection, projected } from './projection.ts';

/** The user's own file with what was learned: the same inputs and outputs. */
export const fineTunedFile = 'fine-tuned.onnx';

/** Of what trains of a network: it knows something already. Changes of low rank begin with nothing. */
const [usualRate, usualRateOfChanges] = [3e-5, 3e-4];

/** Of a 16-bit float. */
const bytesOfNumber = 2;

export interface TrainedNetwork {
  /** What its frozen part says of photos, then the features of others beside it. */
  readonly photos: SeenPhotos;
  readonly hash: string;
  /** The trained part and a head on all features. */
  encoder(head: Encoder): Encoder;
  /** null for parameters of the head. */
  learningRateOf(parameter: string): number | null;
  trained(layout: ParameterLayout, values: Float32Array): TrainedBackbone;
  close(): Promise<void>;
}

/**
 * Runs the frozen part over all photos that it has not seen.
 * @param beside further networks, whose features stand behind its own
 * @throws CourierError as `openTrainable` and `keptFeatures`
 */
export async function trainedNetwork(
  { file, input, taps, fineTune }: BackboneEncoderConfig & { readonly fineTune: FineTuneSettings },
  { folder, dataset: { images }, engine }: { folder: string; dataset: Dataset; engine: Engine },
  beside: readonly Backbone[],
  projection: Projection,
  options: WorkOptions,
): Promise<TrainedNetwork> {
  const { progress = silent } = options;
  const own = await openTrainable(
    { file, input, ...(taps !== undefined && { taps }) },
    fineTune,
    images.side,
  );
  const frozen = sideBySide([own.frozen, ...beside]);
  const bytes = formatBytes(bytesOfNumber * frozen.width * images.count);
  const kept = `What comes before it is computed once: ${bytes} for ${images.count} photos.`;
  for (const text of [...own.understood, kept]) progress({ kind: 'note', text });
  const features = await keptFeatures(
    { backbone: frozen, photos: images, folder: `${resolve(folder)}.features`, engine },
    options,
  );
  const rate = fineTune.learningRate ?? (fineTune.lora === null ? usualRate : usualRateOfChanges);
  return {
    photos: features.photos,
    hash: frozen.hash,
    encoder: (head) =>
      trainedBackbone({
        given: own.frozen.width,
        tail: own.forward,
        beside: frozen.width - own.frozen.width,
        components: (all) => projected(all, projection),
        head,
      }),
    learningRateOf: (parameter) => (parameter.startsWith('encoder.tail') ? rate : null),
    trained: (layout, values) => own.trained(namedParts(layout, values)),
    close: features.close,
  };
}
