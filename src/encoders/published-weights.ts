/**
 * Starting an encoder from weights in a safetensors file: those that pretrain wrote, or published ones under
 * the names of torchvision, timm or Hugging Face's transformers.
 */

import { CourierError } from '../errors.ts';
import { namedParts, type ParameterLayout } from '../graph/parameters.ts';
import { type Shape, sameShape } from '../graph/tensor.ts';
import { readSafeTensors, type SafeTensors, unsupportedDtype } from '../storage/safetensors.ts';

/** What became of the weights, by the encoder's or the file's own names. */
export interface LoadedWeights {
  readonly loaded: readonly string[];
  /** Parameters that the file does not have: they keep their fresh values, as a new head should. */
  readonly missing: readonly string[];
  /** Parameters that the file has in another shape: they keep their fresh values too. */
  readonly misshapen: readonly string[];
  /** Tensors of the file that nothing asked for, such as the classifier of ImageNet. */
  readonly unused: readonly string[];
}

/** The tensors of a file that may be weights. */
export interface WeightsFile extends SafeTensors {
  /** The dtypes of the others, by name: counters and indices, or weights that were quantised. */
  readonly otherDtypes: ReadonlyMap<string, string>;
}

const prefix = 'encoder.';

const weightDtypes = ['F64', 'F32', 'F16', 'BF16'];

/** @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE, FILE_CORRUPT */
export async function readWeights(path: string): Promise<WeightsFile> {
  const otherDtypes = new Map<string, string>();
  const { metadata, tensors } = await readSafeTensors(path, 'Initial weights', (name, dtype) => {
    // The optimiser's state, beside the parameters of a checkpoint.
    if (withoutBest(name).includes('/')) return 'none';
    if (weightDtypes.includes(dtype)) return 'new';
    otherDtypes.set(name, dtype);
    return 'none';
  });
  return { metadata, tensors, otherDtypes };
}

/**
 * Copies what fits into a vector of parameters (P), in place.
 * @throws CourierError VALUE_INVALID when nothing fits: the file is of another kind of model; or when it has a parameter
 * that is not of floats
 */
export function loadWeights(
  file: WeightsFile,
  layout: ParameterLayout,
  values: Float32Array,
  path: string,
): LoadedWeights {
  requireFloats(file, layout, path);
  const source = inTorchvisionNames(file);
  const parts = namedParts(layout, values);
  const [loaded, missing, misshapen]: [string[], string[], string[]] = [[], [], []];
  for (const { name, shape } of layout.places) {
    if (!name.startsWith(prefix)) continue;
    const found = source.get(name.slice(prefix.length));
    if (found === undefined) missing.push(name);
    else if (!sameShape(found.shape, shape)) misshapen.push(`${name} [${found.shape}] instead of [${shape}]`);
    else {
      parts.get(name)!.set(found.data);
      loaded.push(name);
    }
    source.delete(name.slice(prefix.length));
  }
  if (loaded.length === 0) {
    const remedy = 'Use a file for the same encoder, and the encoder settings that it was trained with.';
    throw new CourierError('VALUE_INVALID', `No tensor of ${path} fits a parameter of the encoder.`, remedy);
  }
  return { loaded, missing, misshapen, unused: [...source.keys()] };
}

interface Weight {
  readonly shape: Shape;
  /** float64 is rounded where it is copied. */
  readonly data: Float32Array | Float64Array;
}

/** What is quantised would be taken for missing otherwise. */
function requireFloats(file: WeightsFile, layout: ParameterLayout, path: string): void {
  const parameters = new Set(layout.places.map(({ name }) => name));
  const mergesAtEnd = mergesAtEndOfStage(file);
  for (const [name, dtype] of file.otherDtypes) {
    const whole = withoutPrefix(name).replace(oneOfThree, '$1qkv.$3');
    if (parameters.has(prefix + torchvisionName(whole, mergesAtEnd)))
      throw unsupportedDtype(path, name, dtype, weightDtypes);
  }
}

/** The float tensors of a file under the names of torchvision, which are our own. */
function inTorchvisionNames(file: WeightsFile): Map<string, Weight> {
  const weights = new Map<string, Weight>();
  for (const [name, { shape, data }] of file.tensors) {
    if (data instanceof Float32Array || data instanceof Float64Array)
      weights.set(withoutPrefix(name), { shape, data });
  }
  const joined = joinQueryKeyValue(weights);
  const mergesAtEnd = mergesAtEndOfStage(file);
  return new Map([...joined].map(([name, weight]) => [torchvisionName(name, mergesAtEnd), weight]));
}

/** Before version 0.9, timm merged patches at the end of a stage, as transformers still does. */
function mergesAtEndOfStage({ tensors, otherDtypes }: WeightsFile): boolean {
  return [...tensors.keys(), ...otherDtypes.keys()].some((name) => /layers\.0\.downsample\./.test(name));
}

/** Our own names begin with `encoder.`; transformers has names that begin with `swin.encoder.layers.`. */
function withoutPrefix(name: string): string {
  const own = withoutBest(name);
  return own.startsWith(prefix) ? own.slice(prefix.length) : own;
}

/** A checkpoint holds the best parameters so far under `best/`. */
function withoutBest(name: string): string {
  return name.replace(/^best\//, '');
}

type Rule = readonly [RegExp, (stage: number, block: string, rest: string, mergesAtEnd: boolean) => string];

const insideBlock: Readonly<Record<string, string>> = {
  'mlp.fc1': 'mlp.0',
  'mlp.fc2': 'mlp.3',
  layernorm_before: 'norm1',
  layernorm_after: 'norm2',
  'attention.self.qkv': 'attn.qkv',
  'attention.self': 'attn',
  'attention.output.dense': 'attn.proj',
  'intermediate.dense': 'mlp.0',
  'output.dense': 'mlp.3',
};

const rules: readonly Rule[] = [
  [
    /^layers\.(\d+)\.blocks\.(\d+)\.(.+)$/,
    (stage, block, rest) => `features.${2 * stage + 1}.${block}.${renamed(rest)}`,
  ],
  [
    /^layers\.(\d+)(\.)downsample\.(.+)$/,
    (stage, _, rest, atEnd) => `features.${2 * (atEnd ? stage + 1 : stage)}.${rest}`,
  ],
];

const renames: readonly (readonly [string, string])[] = [
  ['swin.', ''],
  ['encoder.layers.', 'layers.'],
  ['embeddings.patch_embeddings.projection.', 'features.0.0.'],
  ['embeddings.norm.', 'features.0.2.'],
  ['patch_embed.proj.', 'features.0.0.'],
  ['patch_embed.norm.', 'features.0.2.'],
  ['layernorm.', 'norm.'],
  ['head.fc.', 'head.'],
  ['classifier.', 'head.'],
];

function torchvisionName(name: string, mergesAtEnd: boolean): string {
  const plain = renames.reduce(
    (text, [from, to]) => (text.startsWith(from) ? to + text.slice(from.length) : text),
    name,
  );
  for (const [pattern, rename] of rules) {
    const match = pattern.exec(plain);
    if (match !== null) return rename(Number(match[1]), match[2] ?? '', match[3] ?? '', mergesAtEnd);
  }
  return plain;
}

/** `mlp.fc1.weight` → `mlp.0.weight` */
function renamed(rest: string): string {
  const from = Object.keys(insideBlock)
    .filter((candidate) => rest.startsWith(`${candidate}.`))
    .sort((a, b) => b.length - a.length)[0];
  return from === undefined ? rest : insideBlock[from]! + rest.slice(from.length);
}

const oneOfThree = /^(.*\.attention\.self\.)(query|key|value)\.(weight|bias)$/;

/** transformers keeps three projections where the others keep one above the other. */
function joinQueryKeyValue(weights: ReadonlyMap<string, Weight>): Map<string, Weight> {
  const joined = new Map(weights);
  for (const [name, query] of weights) {
    const [, before, projection, kind] = oneOfThree.exec(name) ?? [];
    if (projection !== 'query') continue;
    const [key, value] = [`${before}key.${kind}`, `${before}value.${kind}`];
    const parts = [query, weights.get(key), weights.get(value)].filter((part) => part !== undefined);
    if (parts.length !== 3) continue;
    const shape = [query.shape[0]! * 3, ...query.shape.slice(1)];
    const data = Float32Array.from(parts.flatMap((part) => [...part.data]));
    joined.set(`${before}qkv.${kind}`, { shape, data });
    for (const part of [name, key, value]) joined.delete(part);
  }
  return joined;
}

/** What happened, in a sentence or two for people. */
export function describeLoaded({ loaded, missing, misshapen, unused }: LoadedWeights, path: string): string {
  const named = (label: string, names: readonly string[]) =>
    names.length === 0
      ? []
      : [
          `${label}: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`,
        ];
  const rest = [
    ...named('not in the file, fresh', missing),
    ...named('of another shape, fresh', misshapen),
    ...named('in the file but not used', unused),
  ];
  return [`${loaded.length} parameters from ${path}`, ...rest].join('; ');
}
