import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { safeTensorsFile } from '../../test/support/safetensors-file.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { initialValues, layoutOf, namedParts, parametersOf } from '../graph/parameters.ts';
import { Random } from '../random.ts';
import type { SafeTensor } from '../storage/safetensors.ts';
import { embeddingGraph } from './export.ts';
import { createEncoder } from './index.ts';
import { describeLoaded, loadWeights, readWeights, type WeightsFile } from './published-weights.ts';

const encoder = createEncoder({
  ...{ name: 'swin', side: 16, patch: 4, width: 4, depths: [1, 1], heads: [1, 2] },
  ...{ window: 2, mlpRatio: 2, head: 'mean', dimension: 6 },
});
const parameters = parametersOf([embeddingGraph(encoder).embeddings]);
const layout = layoutOf(parameters);
const trained = initialValues(parameters, Random.seeded(1, 'trained'));

/** The trained weights under the names that `rename` gives them; null leaves one out. */
function fileOf(rename: (name: string) => string | null): WeightsFile {
  const parts = namedParts(layout, trained);
  const tensors = new Map<string, SafeTensor>();
  for (const { name, shape } of layout.places) {
    const renamed = rename(name.replace('encoder.', ''));
    if (renamed !== null) tensors.set(renamed, { shape, data: parts.get(name)! });
  }
  return { tensors, metadata: {}, otherDtypes: new Map() };
}

function load(file: WeightsFile) {
  const values = initialValues(parameters, Random.seeded(2, 'fresh'));
  return { values, result: loadWeights(file, layout, values, 'weights.safetensors') };
}

const common = (name: string) =>
  name
    .replace('features.0.0', 'patch_embed.proj')
    .replace('features.0.2', 'patch_embed.norm')
    .replace('features.1.0', 'layers.0.blocks.0')
    .replace('features.3.0', 'layers.1.blocks.0')
    .replace('mlp.0', 'mlp.fc1')
    .replace('mlp.3', 'mlp.fc2');

/** From names written out by the projects themselves, for one block and one merge. */
const dialects = {
  torchvision: (name: string) => name,
  'timm since 0.9': (name: string) =>
    common(name)
      .replace('features.2', 'layers.1.downsample')
      .replace(/^head\./, 'head.fc.'),
  'timm before 0.9': (name: string) => common(name).replace('features.2', 'layers.0.downsample'),
  pretrain: (name: string) => `best/encoder.${name}`,
};

/** The trained weights as others publish them: rounded to a dtype, beside tensors that are no weights. */
const published = {
  F16: { width: 2, rounded: (value: number) => Math.round(value * 64) / 64 || 0, put: putHalf },
  BF16: { width: 2, rounded: upperHalf, put: putUpperHalf },
  F64: {
    width: 8,
    rounded: (value: number) => value,
    put: (view: DataView, at: number, value: number) => view.setFloat64(at, value, true),
  },
} as const;

/** For multiples of 1/64 from -16 to 16, which binary16 has. */
function putHalf(view: DataView, at: number, value: number): void {
  const size = Math.abs(value);
  const exponent = Math.floor(Math.log2(size));
  const bits = size === 0 ? 0 : ((exponent + 15) << 10) | ((size / 2 ** exponent) * 1024 - 1024);
  view.setUint16(at, (value < 0 ? 0x8000 : 0) | bits, true);
}

function putUpperHalf(view: DataView, at: number, value: number): void {
  const whole = new Uint32Array(Float32Array.of(value).buffer);
  view.setUint16(at, whole[0]! >>> 16, true);
}

function upperHalf(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  return new Float32Array(Uint32Array.of(bits[0]! & 0xffff0000).buffer)[0]!;
}

async function writePublished(
  { width, rounded, put }: (typeof published)[keyof typeof published],
  dtypeNamed: (name: string) => string,
): Promise<string> {
  const values = Buffer.alloc(layout.size * width + 9);
  const view = new DataView(values.buffer, values.byteOffset, values.length);
  trained.forEach((value, index) => {
    put(view, index * width, rounded(value));
  });
  const end = layout.size * width;
  const entries = layout.places.map(({ name, shape, offset, size }) => {
    const offsets = [offset * width, (offset + size) * width];
    return [name.replace('encoder.', ''), { dtype: dtypeNamed(name), shape, data_offsets: offsets }];
  });
  const header = {
    ...Object.fromEntries(entries),
    relative_position_index: { dtype: 'I64', shape: [1], data_offsets: [end, end + 8] },
    scales: { dtype: 'F8_E4M3', shape: [1], data_offsets: [end + 8, end + 9] },
  };
  const path = join(await temporaryFolder(), 'model.safetensors');
  await writeFile(path, safeTensorsFile(header, values));
  return path;
}

describe('published weights', () => {
  it.each(Object.entries(published))('load from a file of %s, to the same values', async (dtype, kind) => {
    const path = await writePublished(kind, () => dtype);
    const { values, result } = load(await readWeights(path));
    expect(result).toEqual({
      loaded: layout.places.map(({ name }) => name),
      missing: [],
      misshapen: [],
      unused: [],
    });
    expect(values).toEqual(Float32Array.from(trained, kind.rounded));
    expect(new Set(values).size).toBeGreaterThan(100);
  });

  it.each(['I16', 'FUTURE'])('of which one is of %s are refused, and it is named', async (dtype) => {
    const path = await writePublished(published.F16, (name) =>
      name === 'encoder.head.weight' ? dtype : 'F16',
    );
    const file = await readWeights(path);
    expect(() => load(file)).toThrowError(
      expect.objectContaining({
        code: 'VALUE_INVALID',
        message: `weights.safetensors: tensor head.weight has the dtype ${dtype}, which is not supported.`,
      }),
    );
  });

  it('that are quantised under a name of another project are refused too', () => {
    const name = 'swin.encoder.layers.0.blocks.0.attention.self.key.weight';
    const file = fileOf((own) => own);
    expect(() => load({ ...file, otherDtypes: new Map([[name, 'I8']]) })).toThrow(`${name} has the dtype I8`);
    expect(() => load({ ...file, otherDtypes: new Map([['swin.other', 'I8']]) })).not.toThrow();
  });

  it.each(Object.entries(dialects))('load under the names of %s', (_, rename) => {
    const { values, result } = load(fileOf(rename));
    expect(result).toEqual({
      loaded: layout.places.map(({ name }) => name),
      missing: [],
      misshapen: [],
      unused: [],
    });
    expect(values).toEqual(trained);
  });

  it("load under the names of Hugging Face's transformers, whose query, key and value are apart", () => {
    const names: readonly (readonly [string, string])[] = [
      ['features.0.0', 'swin.embeddings.patch_embeddings.projection'],
      ['features.0.2', 'swin.embeddings.norm'],
      ['features.1.0', 'swin.encoder.layers.0.blocks.0'],
      ['features.2', 'swin.encoder.layers.0.downsample'],
      ['features.3.0', 'swin.encoder.layers.1.blocks.0'],
      ['.norm1', '.layernorm_before'],
      ['.norm2', '.layernorm_after'],
      ['attn.proj', 'attention.output.dense'],
      ['attn.', 'attention.self.'],
      ['mlp.0', 'intermediate.dense'],
      ['mlp.3', 'output.dense'],
    ];
    const file = fileOf((name) => {
      const inner = names.reduce((text, [from, to]) => text.replace(from, to), name);
      return inner.replace(/^norm\./, 'swin.layernorm.').replace(/^head\./, 'classifier.');
    });
    const tensors = new Map(file.tensors);
    for (const [name, { shape, data }] of file.tensors) {
      if (!name.includes('.qkv.')) continue;
      const third = data.length / 3;
      for (const [index, part] of ['query', 'key', 'value'].entries()) {
        const own = data.slice(index * third, (index + 1) * third);
        tensors.set(name.replace('qkv', part), { shape: [shape[0]! / 3, ...shape.slice(1)], data: own });
      }
      tensors.delete(name);
    }
    const { values, result } = load({ ...file, tensors });
    expect(result).toMatchObject({ missing: [], misshapen: [], unused: [] });
    expect(values).toEqual(trained);
  });

  it('leave a head of another size fresh, and say so', () => {
    const file = fileOf((name) => name);
    const tensors = new Map(file.tensors).set('head.weight', {
      shape: [1000, 8],
      data: new Float32Array(8000),
    });
    tensors.delete('head.bias');
    tensors.set('momentum', { shape: [1], data: new Float32Array(1) });
    const { values, result } = load({ ...file, tensors });
    expect(result.misshapen).toEqual(['encoder.head.weight [1000,8] instead of [6,8]']);
    expect([result.missing, result.unused]).toEqual([['encoder.head.bias'], ['momentum']]);
    const fresh = namedParts(layout, initialValues(parameters, Random.seeded(2, 'fresh')));
    expect(namedParts(layout, values).get('encoder.head.weight')).toEqual(fresh.get('encoder.head.weight'));
    expect(describeLoaded(result, 'x')).toContain('of another shape, fresh: encoder.head.weight [1000,8]');
  });

  it('of another kind of model are refused', () => {
    expect(() => load(fileOf((name) => `other.${name}`))).toThrow('No tensor of weights.safetensors fits');
  });
});
