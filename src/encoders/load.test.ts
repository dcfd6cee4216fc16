import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attributeTypes, elementTypes, encodeModel } from '../graph/onnx-schema.ts';
import { Random } from '../random.ts';
import { Engine } from '../runtime/engine.ts';
import { exportUntrainedEncoder } from './export.ts';
import { type EncoderFile, encoderFileOf } from './file.ts';
import { createEncoder } from './index.ts';
import { ExportedEncoder } from './load.ts';

const side = 4;
const photo = new Uint8Array(side * side * 3);

function smallEncoder(): EncoderFile {
  const encoder = createEncoder({ name: 'outlines', side, cells: 2, width: 4, dimension: 3 });
  const model = exportUntrainedEncoder(encoder, Random.seeded(1, 'parameters'));
  return encoderFileOf('encoder.onnx', model.encode('standard'));
}

/** An encoder by what it takes and gives, with these nodes between `x`, the photos as floats, and `embeddings`. */
function encoderOf(
  node: readonly { opType: string; input: readonly string[]; output: readonly string[] }[],
  shape: readonly bigint[] = [],
): EncoderFile {
  const value = (name: string, elemType: number, dims: readonly number[]) => {
    const dim = [{ dimParam: 'photos' }, ...dims.map((dimValue) => ({ dimValue }))];
    return { name, type: { tensorType: { elemType, shape: { dim } } } };
  };
  const rawData = new Uint8Array(BigInt64Array.from(shape).buffer);
  const cast = [{ name: 'to', type: attributeTypes.int, i: elementTypes.float32 }];
  const bytes = encodeModel({
    irVersion: 10,
    opsetImport: [{ domain: '', version: 21 }],
    graph: {
      name: 'encoder',
      node: [{ opType: 'Cast', input: ['photos'], output: ['x'], attribute: cast }, ...node],
      initializer: [{ name: 'shape', dims: [shape.length], dataType: elementTypes.int64, rawData }],
      input: [value('photos', elementTypes.uint8, [side, side, 3])],
      output: [value('embeddings', elementTypes.float32, [side])],
    },
  });
  return encoderFileOf('encoder.onnx', bytes);
}

describe('an encoder in an engine', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  const corrupt = (part: string) => ({ code: 'FILE_CORRUPT', message: expect.stringContaining(part) });

  it('does not call its file corrupt when the compute thread ends meanwhile, or ended before', async () => {
    const ending = Engine.start({ threads: 1 });
    const encoder = await ExportedEncoder.load(smallEncoder(), ending);
    const embedding = encoder.embed(photo);
    await ending.close();
    const ended = /^the compute thread ended$/;
    await expect(embedding).rejects.toThrow(ended);
    await expect(encoder.embed(photo)).rejects.toThrow(ended);
    await expect(ExportedEncoder.load(smallEncoder(), ending)).rejects.toThrow(ended);
  });

  it('does not call its file corrupt when there is not enough memory for it', async () => {
    const nodes = [
      { opType: 'Expand', input: ['x', 'shape'], output: ['huge'] },
      { opType: 'ReduceMax', input: ['huge'], output: ['embeddings'] },
    ];
    // More bytes than a process can address, whatever the machine has.
    const encoder = await ExportedEncoder.load(encoderOf(nodes, [2n ** 45n, 1n, 1n, 1n, 1n]), engine);
    const failure = await encoder.embed(photo).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringContaining('Failed to allocate memory') });
    expect(failure).not.toHaveProperty('code');
  });

  it('calls a file corrupt whose model ONNX Runtime does not know, or cannot compute', async () => {
    const unknown = encoderOf([{ opType: 'Unheard', input: ['x'], output: ['embeddings'] }]);
    await expect(ExportedEncoder.load(unknown, engine)).rejects.toMatchObject(corrupt('Unheard'));
    const reshaped = encoderOf(
      [{ opType: 'Reshape', input: ['x', 'shape'], output: ['embeddings'] }],
      [7n, 11n],
    );
    const encoder = await ExportedEncoder.load(reshaped, engine);
    await expect(encoder.embed(photo)).rejects.toMatchObject(corrupt('Reshape'));
  });

  it('calls a file corrupt whose model gives another number of values', async () => {
    const nodes = [{ opType: 'ReduceMax', input: ['x'], output: ['embeddings'] }];
    const encoder = await ExportedEncoder.load(encoderOf(nodes), engine);
    await expect(encoder.embed(photo)).rejects.toMatchObject(corrupt('it gave 1 values'));
  });
});
