/** Several backbones as one: the features of each, one after the other. */
import { createHash } from 'node:crypto';
import { laterOf } from '../data/embeddings/learned-until.ts';
import { buildModel } from '../graph/onnx.ts';
import { decodeModel, encodeModel, type ModelProto } from '../graph/onnx-schema.ts';
import { concatenate } from '../graph/operators/index.ts';
import { input, openLength } from '../graph/tensor.ts';
import type { Model, Target } from '../runtime/model.ts';
import type { Backbone } from './backbone.ts';
import { chain } from './chain.ts';
import { renamed } from './nodes.ts';

/** @param backbones one or more, for photos of one side */
export function sideBySide(backbones: readonly Backbone[]): Backbone {
  const [first, ...others] = backbones;
  if (first === undefined) throw new Error('there is no backbone');
  if (others.length === 0) return first;
  const { side } = first;
  if (others.some((other) => other.side !== side)) throw new Error('backbones are for photos of other sides');
  let from = 0;
  const taps = backbones.flatMap((backbone) => {
    const own = backbone.taps.map((tap) => ({ ...tap, from: from + tap.from }));
    from += backbone.width;
    return own;
  });
  const hash = createHash('sha256')
    .update(backbones.map((backbone) => backbone.hash).join(' '))
    .digest('hex');
  return {
    hash,
    side,
    taps,
    width: from,
    learnedUntil: backbones.map(({ learnedUntil }) => learnedUntil).reduce(laterOf),
    understood: backbones.flatMap(({ understood }) => understood),
    model: joined(backbones, side, from),
  };
}

function joined(backbones: readonly Backbone[], side: number, width: number): Model {
  const join = joinModel(backbones.map((backbone) => backbone.width));
  return {
    encode(target: Target) {
      const parts = backbones.map(({ model }, place): [string, ModelProto] => {
        const part = decodeModel(model.encode(target));
        const rename = (name: string) => (name === 'features' ? partName(place) : name);
        return [`backbone${place}`, { ...part, graph: renamed(part.graph, rename) }];
      });
      const whole = { ...Object.fromEntries(parts), join: decodeModel(join.encode(target)) };
      return encodeModel(chain(whole));
    },
    inputs: { photos: { type: 'uint8', shape: [1, side, side, 3] } },
    outputs: { features: { type: 'float32', shape: [1, width] } },
  };
}

/** From the features of each to those of all. */
function joinModel(widths: readonly number[]): Model {
  const names = widths.map((_, place) => partName(place));
  const parts = widths.map((width, place) => input(partName(place), 'float32', [openLength, width]));
  const openAxes = Object.fromEntries([...names, 'features'].map((name) => [name, 'photos']));
  return buildModel({ outputs: { features: concatenate(parts, 1) }, openAxes });
}

function partName(place: number): string {
  return `features${place}`;
}
