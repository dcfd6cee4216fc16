import { describe, expect, it } from 'vitest';
import { attributeTypes, decodeModel, encodeModel } from './onnx-schema.ts';

const text = Uint8Array.of(120);
const entries = [{ key: 'a', value: 'b' }];
const type = { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 3 }, { dimParam: 'n' }] } } };
const tensor = {
  ...{ name: 't', dims: [2], dataType: 1, floatData: [1, 2], int32Data: [-3], int64Data: [-4, 5] },
  ...{ doubleData: [0.1], uint64Data: [6], stringData: [text], rawData: Uint8Array.of(1, 2) },
  ...{ externalData: entries, dataLocation: 1, docString: 'd', segment: { begin: 1, end: 2 } },
  metadataProps: entries,
};
const sparse = { values: tensor, indices: tensor, dims: [4] };
const inner = { name: 'inner', node: [{ opType: 'Add', input: ['x', ''], output: ['y'] }] };
const attribute = {
  ...{ name: 'a', type: attributeTypes.ints, f: 0.5, i: -1, s: text, t: tensor, g: inner },
  // What slices to the end are written with.
  ints: [1, -(2 ** 63), 2 ** 63],
  ...{ floats: [0.25], strings: [text], tensors: [tensor], graphs: [inner], docString: 'd' },
  ...{ refAttrName: 'r', sparseTensor: sparse, sparseTensors: [sparse], tp: type, typeProtos: [type] },
};
const node = {
  ...{ name: 'n', opType: 'Odd', domain: 'd', overload: 'o', input: ['x'], output: ['y'], docString: 'd' },
  ...{ attribute: [attribute], metadataProps: entries },
};
const value = { name: 'v', type, docString: 'd', metadataProps: entries };
const model = {
  ...{ irVersion: 10, producerName: 'p', producerVersion: '1', domain: 'd', modelVersion: 2, docString: 'd' },
  opsetImport: [{ domain: 'd', version: 3 }],
  metadataProps: entries,
  functions: [
    {
      ...{ name: 'f', domain: 'd', overload: 'o', input: ['x'], output: ['y'], attribute: ['a'] },
      ...{ attributeProto: [attribute], node: [node], opsetImport: [{ version: 18 }] },
      ...{ docString: 'd', valueInfo: [value], metadataProps: entries },
    },
  ],
  graph: {
    ...{ name: 'g', node: [node], initializer: [tensor], sparseInitializer: [sparse], docString: 'd' },
    input: [value, { name: 'w', type: { sequenceType: { elemType: type } } }],
    output: [value, { name: 'z', type: { optionalType: { elemType: type } } }],
    valueInfo: [value, { name: 'm', type: { mapType: { keyType: 8, valueType: type } } }],
    quantizationAnnotation: [{ tensorName: 't', quantParameterTensorNames: entries }],
    metadataProps: entries,
  },
};

describe('a model that uses every field of inference', () => {
  it('is the same after it was read and written again', () => {
    const bytes = encodeModel(model);
    expect(decodeModel(bytes)).toMatchObject(model);
    expect(encodeModel(decodeModel(bytes))).toEqual(bytes);
  });
});
