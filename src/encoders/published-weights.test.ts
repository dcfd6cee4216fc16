import { describe, expect, it } from 'vitest';
import { initialValues, layoutOf, namedParts, parametersOf } from '../graph/parameters.ts';
import { Random } from '../random.ts';
import type { SafeTensor, SafeTensors } from '../storage/safetensors.ts';
import { embeddingGraph } from './export.ts';
import { createEncoder } from './index.ts';
import { describeLoaded, loadWeights } from './published-weights.ts';

const encoder = createEncoder({
  ...{ name: 'swin', side: 16, patch: 4, width: 4, depths: [1, 1], heads: [1, 2] },
  ...{ window: 2, mlpRatio: 2, head: 'mean', dimension: 6 },
});
const parameters = parametersOf([embeddingGraph(encoder).embeddings]);
const layout = layoutOf(parameters);
const trained = initialValues(parameters, Random.seeded(1, 'trained'));

/** The trained weights under the names that `rename` gives them; null leaves one out. */
function fileOf(rename: (name: string) => string | null): SafeTensors {
  const parts = namedParts(layout, trained);
  const tensors = new Map<string, SafeTensor>();
  for (const { name, shape } of layout.places) {
    const renamed = rename(name.replace('encoder.', ''));
    if (renamed !== null) tensors.set(renamed, { shape, data: parts.get(name)! });
  }
  return { metadata: {}, tensors };
}

function load(file: SafeTensors) {
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

describe('published weights', () => {
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
    const { values, result } = load({ metadata: {}, tensors });
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
    const { values, result } = load({ metadata: {}, tensors });
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
