/** What is learned on top of a pretrained network: a small map of features that were computed before. */
import { affineParameters, weightOf } from '../graph/layers.ts';
import {
  add,
  concatenate,
  linear,
  multiply,
  project,
  relu,
  reshape,
  split,
} from '../graph/operators/index.ts';
import { zeros } from '../graph/parameters.ts';
import { type FloatTensor, type Initializer, parameter, sizeOf } from '../graph/tensor.ts';
import type { FeatureHeadSettings } from './backbone.ts';
import type { Encoder, Photos } from './encoder.ts';

/** Cells of a photo, row after row, each with so many numbers. */
export interface GridOfCells {
  /** A side. */
  readonly cells: number;
  /** Numbers of a cell. */
  readonly components: number;
}

export interface FeatureHeadConfig {
  readonly head: FeatureHeadSettings;
  /** Components of a whole photo that it is given: k. */
  readonly components: number;
  /** What it is given beside them, grid after grid; only the head `grid` takes any. */
  readonly grids: readonly GridOfCells[];
  readonly dimension: number;
}

/**
 * All heads but `perceptron` have a straight way, which begins as the leading components; what is beside it begins with nothing
 * to say: before anything is learned, embeddings are the features themselves. Begun at random they would first have to find
 * their way back there. Letters in shapes: B photos, k components, W hidden width, d dimension.
 */
export function featureHead({ head, components, grids, dimension }: FeatureHeadConfig): Encoder {
  const ofGrids = grids.map(numbersOf);
  const sees = {
    type: 'float32',
    shape: [ofGrids.reduce((sum, length) => sum + length, components)],
  } as const;
  const through = parameter('encoder.straight.weight', [dimension, components], leading);
  const straight = (x: FloatTensor) => project(x, through); // (B, d)
  if (head.name === 'linear') return { sees, dimension, forward: (photos) => straight(featuresOf(photos)) };
  const { hidden, dropout } = head;
  const mixers =
    head.name === 'grid' ? grids.map((grid, place) => cellMixer(grid, head.channels, place)) : [];
  const seen = head.name === 'grid' ? mixers.reduce((sum, { length }) => sum + length, 0) : components;
  const bent = affineParameters('encoder.hidden', seen, hidden);
  const output =
    head.name === 'perceptron'
      ? weightOf('encoder.output', hidden, dimension)
      : parameter('encoder.output.weight', [dimension, hidden], zeros);
  const beside = (x: FloatTensor, kept: FloatTensor | null) => {
    const units = relu(linear(x, bent.weight, bent.bias)); // (B, W)
    return project(kept === null ? units : multiply(units, kept), output); // (B, d)
  };
  return {
    sees,
    dimension,
    hides: dropout === 0 ? null : { units: hidden, share: dropout },
    forward(photos, kept = null) {
      const features = featuresOf(photos);
      if (head.name === 'perceptron') return beside(features, kept);
      if (head.name === 'both') return add(straight(features), beside(features, kept));
      const [whole, ...parts] = split(features, [components, ...ofGrids], 1);
      const mixed = parts.map((part, place) => mixers[place]!.mix(part));
      return add(straight(whole!), beside(concatenate(mixed, 1), kept));
    },
  };
}

function numbersOf({ cells, components }: GridOfCells): number {
  return cells ** 2 * components;
}

/** Every cell by the same small map, so that what is learned of one place is known at all: (B, cells² · n) → (B, cells² · c). */
function cellMixer({ cells, components }: GridOfCells, channels: number, grid: number) {
  const weight = parameter(`encoder.cell${grid}.weight`, [channels, components], leading);
  const length = cells ** 2 * channels;
  const mix = (x: FloatTensor) => {
    const [batch] = x.shape;
    return reshape(project(reshape(x, [batch!, cells ** 2, components]), weight), [batch!, length]);
  };
  return { length, mix };
}

function featuresOf(photos: Photos): FloatTensor {
  if (photos.type !== 'float32') throw new Error('a head is given features, not pixels');
  return photos;
}

/** The leading inputs as they are; outputs beyond them are zero. */
const leading: Initializer = (shape) => {
  const [outputs = 1, inputs = 1] = shape;
  const values = new Float32Array(sizeOf(shape));
  for (let place = 0; place < Math.min(outputs, inputs); place++) values[place * inputs + place] = 1;
  return values;
};
