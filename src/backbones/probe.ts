/** Backbones tried on photos before anybody relies on them. */
import { messageOf } from '../errors.ts';
import { encodeModel, type ModelProto } from '../graph/onnx-schema.ts';
import { floats } from '../runtime/engine.ts';
import type { DataType, Model } from '../runtime/model.ts';
import { ModelError } from '../runtime/model-error.ts';
import type { NamedValues, Values } from '../runtime/protocol.ts';
import type { Trial } from '../runtime/trial.ts';
import { shapeName, withShapes } from './core.ts';
import { BackboneFault } from './errors.ts';
import { type Tap, tapName, widthOf } from './taps.ts';

/** What a core gives for single photos. */
export interface Observed {
  /** Of each tap, without the axis of photos. */
  readonly shapes: readonly (readonly number[])[];
  /** Of each tap under its name, one photo after the other. */
  readonly values: Readonly<Record<string, Float32Array>>;
}

/**
 * Runs a core on photos one by one, as the file has it.
 * @param pixels of all photos, one after the other; each has the core's input shape
 * @throws ModelError when it cannot be computed; BackboneFault for results that are not those of one photo
 */
export async function observe(
  core: ModelProto,
  pixels: Values,
  lengths: readonly number[],
  trial: Trial,
): Promise<Observed> {
  const taps = core.graph.output.map((_, index) => index);
  const type: DataType = pixels instanceof Uint8Array ? 'uint8' : 'float32';
  const model: Model = {
    encode: () => encodeModel(withShapes(core)),
    inputs: { pixels: { type, shape: [1, ...lengths] } },
    outputs: Object.fromEntries([
      ...taps.map((index) => [tapName(index), { type: 'float32', shape: [] }] as const),
      ...taps.map((index) => [shapeName(index), { type: 'int64', shape: [] }] as const),
    ]),
  };
  const size = lengths.reduce((product, length) => product * length, 1);
  const feeds = Array.from({ length: pixels.length / size }, (_, photo) => ({
    pixels: pixels.subarray(photo * size, (photo + 1) * size),
  }));
  const results = await trial.run(model, feeds);
  const shapes = taps.map((index) => {
    const [photos, ...shape] = Array.from(results[0]?.[shapeName(index)] ?? [], Number);
    if (photos === 1 && shape.length > 0) return shape;
    const problem = `its tensor has the shape (${[photos, ...shape].join(', ')}) for one photo, which is not (1, …).`;
    throw new BackboneFault(problem, 'Name other tensors in `taps`.');
  });
  const values = Object.fromEntries(taps.map((index) => [tapName(index), joined(results, tapName(index))]));
  return { shapes, values };
}

function joined(results: readonly NamedValues[], name: string): Float32Array {
  const parts = results.map((result) => floats(result, name));
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Runs a model once. @throws ModelError when ONNX Runtime does not take or compute it */
export async function runOnce(model: Model, feeds: NamedValues, trial: Trial): Promise<NamedValues> {
  const [result] = await trial.run(model, [feeds]);
  return result!;
}

/** Of the largest number of a tap: what kernels in another order differ by, float16 and bytes included. */
const tolerance = 2e-3;

/**
 * Why a model does not give for several photos what is wanted; null where it does.
 * @param wanted features of each photo computed alone (n, F)
 * @throws Error where not the model, but the machine gave out
 */
export async function differenceOf(
  model: Model,
  photos: Uint8Array,
  wanted: Float32Array,
  taps: readonly Tap[],
  trial: Trial,
): Promise<string | null> {
  try {
    const given = floats(await runOnce(model, { photos }, trial), 'features');
    if (given.length !== wanted.length) return `it gives ${given.length} numbers instead of ${wanted.length}`;
    const width = taps.reduce((sum, tap) => sum + widthOf(tap), 0);
    const differing = taps.find((tap) => differs(tap, given, wanted, width));
    return differing === undefined ? null : `its ${differing.name} differs`;
  } catch (error) {
    if (error instanceof ModelError) return messageOf(error);
    throw error;
  }
}

/** Whether the part of a tap differs in one photo or another. */
function differs(tap: Tap, given: Float32Array, wanted: Float32Array, width: number): boolean {
  let [largest, difference] = [0, 0];
  for (let photo = 0; photo < wanted.length; photo += width) {
    for (let at = photo + tap.from; at < photo + tap.from + widthOf(tap); at++) {
      largest = Math.max(largest, Math.abs(wanted[at]!));
      difference = Math.max(difference, Math.abs(wanted[at]! - given[at]!));
    }
  }
  // What is no number is not within it either.
  return !(difference <= tolerance * largest);
}
