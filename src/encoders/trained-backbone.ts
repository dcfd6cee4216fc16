/** A pretrained network of which the last part is trained, and a head on its features. */
import { concatenate, split } from '../graph/operators/index.ts';
import type { FloatTensor } from '../graph/tensor.ts';
import type { Encoder } from './encoder.ts';

export interface TrainedBackboneConfig {
  /** Numbers of a photo that the frozen part gives: c. */
  readonly given: number;
  /** What is trained of the network: (B, c) → (B, F). */
  readonly tail: (given: FloatTensor) => FloatTensor;
  /** Features of others that are looked at beside it: R numbers of a photo. */
  readonly beside: number;
  /** All features to what the head is given: (B, F + R) → (B, k). */
  readonly components: (features: FloatTensor) => FloatTensor;
  readonly head: Encoder;
}

/** It sees what the frozen part says of a photo, then the features of others (B, c + R). */
export function trainedBackbone({ given, tail, beside, components, head }: TrainedBackboneConfig): Encoder {
  return {
    sees: { type: 'float32', shape: [given + beside] },
    dimension: head.dimension,
    hides: head.hides ?? null,
    forward(seen, kept = null) {
      if (seen.type !== 'float32') throw new Error('the rest of a network is given numbers, not pixels');
      const [own, ...others] = beside === 0 ? [seen] : split(seen, [given, beside], 1);
      return head.forward(components(concatenate([tail(own!), ...others], 1)), kept);
    },
  };
}
