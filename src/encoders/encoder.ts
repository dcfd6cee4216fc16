/** What an image encoder is to the rest: a graph from photos to embeddings. */
import { CourierError } from '../errors.ts';
import { cast, multiply, subtract } from '../graph/operators/index.ts';
import { constant, type FloatTensor, type Tensor } from '../graph/tensor.ts';

export interface Encoder {
  /** Side S of the photos it takes, in pixels. */
  readonly side: number;
  /** Length d of the embeddings. */
  readonly dimension: number;
  /** Photos as uint8 (B, S, S, 3) → embeddings, not normalised (B, d). Parameters are named `encoder.…`. */
  forward(photos: Tensor<'uint8'>): FloatTensor;
}

/** Mean and deviation of ImageNet's colours, 0 to 255: what published weights expect. */
const colourMean = [123.675, 116.28, 103.53];
const colourDeviation = [58.395, 57.12, 57.375];

/** uint8 pixels in RGB order (…, 3 n) → float32 with mean 0 and deviation 1 on natural images. */
export function normalizeColours(pixels: Tensor<'uint8'>): FloatTensor {
  const length = pixels.shape.at(-1) ?? 0;
  const repeated = (values: readonly number[]) =>
    constant(
      'float32',
      Float32Array.from({ length }, (_, index) => values[index % 3]!),
      [length],
    );
  const centred = subtract(cast(pixels, 'float32'), repeated(colourMean));
  return multiply(centred, repeated(colourDeviation.map((deviation) => 1 / deviation)));
}

/**
 * Refuses sizes that do not fit each other, naming both.
 * @throws CourierError CONFIG_INVALID
 */
export function requireDivides(divisorName: string, divisor: number, name: string, value: number): void {
  if (value % divisor === 0) return;
  const problem = `${divisorName} ${divisor} does not divide ${name} ${value}`;
  throw new CourierError(
    'CONFIG_INVALID',
    `Invalid configuration: ${problem}.`,
    'Choose numbers that divide each other.',
  );
}
