/**
 * The ONNX file format as a protobuf description: messages and field numbers of onnx.proto3 of the ONNX project, IR
 * version 13. Left out is what only training and machines of several devices need.
 */
import protobuf from 'protobufjs/light.js';

/** TensorProto.DataType: the code of each element type that our models use. */
export const elementTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const;

/** AttributeProto.AttributeType: the code of each kind of attribute that our models use. */
export const attributeTypes = { float: 1, int: 2, text: 3, tensor: 4, graph: 5, ints: 7 } as const;

const field = (id: number, type: string) => ({ id, type });
const repeated = (id: number, type: string) => ({ id, type, rule: 'repeated' as const });
const metadataProps = (id: number) => repeated(id, 'StringStringEntryProto');

const { Root } = protobuf;

const root = Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        irVersion: field(1, 'int64'),
        producerName: field(2, 'string'),
        producerVersion: field(3, 'string'),
        domain: field(4, 'string'),
        modelVersion: field(5, 'int64'),
        docString: field(6, 'string'),
        graph: field(7, 'GraphProto'),
        opsetImport: repeated(8, 'OperatorSetIdProto'),
        metadataProps: metadataProps(14),
        functions: repeated(25, 'FunctionProto'),
      },
    },
    StringStringEntryProto: { fields: { key: field(1, 'string'), value: field(2, 'string') } },
    OperatorSetIdProto: { fields: { domain: field(1, 'string'), version: field(2, 'int64') } },
    FunctionProto: {
      fields: {
        name: field(1, 'string'),
        input: repeated(4, 'string'),
        output: repeated(5, 'string'),
        attribute: repeated(6, 'string'),
        node: repeated(7, 'NodeProto'),
        docString: field(8, 'string'),
        opsetImport: repeated(9, 'OperatorSetIdProto'),
        domain: field(10, 'string'),
        attributeProto: repeated(11, 'AttributeProto'),
        valueInfo: repeated(12, 'ValueInfoProto'),
        overload: field(13, 'string'),
        metadataProps: metadataProps(14),
      },
    },
    GraphProto: {
      fields: {
        node: repeated(1, 'NodeProto'),
        name: field(2, 'string'),
        initializer: repeated(5, 'TensorProto'),
        docString: field(10, 'string'),
        input: repeated(11, 'ValueInfoProto'),
        output: repeated(12, 'ValueInfoProto'),
        valueInfo: repeated(13, 'ValueInfoProto'),
        quantizationAnnotation: repeated(14, 'TensorAnnotation'),
        sparseInitializer: repeated(15, 'SparseTensorProto'),
        metadataProps: metadataProps(16),
      },
    },
    TensorAnnotation: {
      fields: { tensorName: field(1, 'string'), quantParameterTensorNames: metadataProps(2) },
    },
    NodeProto: {
      fields: {
        input: repeated(1, 'string'),
        output: repeated(2, 'string'),
        name: field(3, 'string'),
        opType: field(4, 'string'),
        attribute: repeated(5, 'AttributeProto'),
        docString: field(6, 'string'),
        domain: field(7, 'string'),
        overload: field(8, 'string'),
        metadataProps: metadataProps(9),
      },
    },
    AttributeProto: {
      fields: {
        name: field(1, 'string'),
        f: field(2, 'float'),
        i: field(3, 'int64'),
        s: field(4, 'bytes'),
        t: field(5, 'TensorProto'),
        g: field(6, 'GraphProto'),
        floats: repeated(7, 'float'),
        ints: repeated(8, 'int64'),
        strings: repeated(9, 'bytes'),
        tensors: repeated(10, 'TensorProto'),
        graphs: repeated(11, 'GraphProto'),
        docString: field(13, 'string'),
        tp: field(14, 'TypeProto'),
        typeProtos: repeated(15, 'TypeProto'),
        type: field(20, 'int32'),
        refAttrName: field(21, 'string'),
        sparseTensor: field(22, 'SparseTensorProto'),
        sparseTensors: repeated(23, 'SparseTensorProto'),
      },
    },
    TensorProto: {
      fields: {
        dims: repeated(1, 'int64'),
        dataType: field(2, 'int32'),
        segment: field(3, 'Segment'),
        floatData: repeated(4, 'float'),
        int32Data: repeated(5, 'int32'),
        stringData: repeated(6, 'bytes'),
        int64Data: repeated(7, 'int64'),
        name: field(8, 'string'),
        rawData: field(9, 'bytes'),
        doubleData: repeated(10, 'double'),
        uint64Data: repeated(11, 'uint64'),
        docString: field(12, 'string'),
        externalData: repeated(13, 'StringStringEntryProto'),
        dataLocation: field(14, 'int32'),
        metadataProps: metadataProps(16),
      },
    },
    Segment: { fields: { begin: field(1, 'int64'), end: field(2, 'int64') } },
    SparseTensorProto: {
      fields: {
        values: field(1, 'TensorProto'),
        indices: field(2, 'TensorProto'),
        dims: repeated(3, 'int64'),
      },
    },
    ValueInfoProto: {
      fields: {
        name: field(1, 'string'),
        type: field(2, 'TypeProto'),
        docString: field(3, 'string'),
        metadataProps: metadataProps(4),
      },
    },
    TypeProto: {
      fields: {
        tensorType: field(1, 'TypeProtoTensor'),
        sequenceType: field(4, 'TypeProtoElements'),
        mapType: field(5, 'TypeProtoMap'),
        denotation: field(6, 'string'),
        sparseTensorType: field(8, 'TypeProtoTensor'),
        optionalType: field(9, 'TypeProtoElements'),
      },
    },
    TypeProtoTensor: { fields: { elemType: field(1, 'int32'), shape: field(2, 'TensorShapeProto') } },
    TypeProtoElements: { fields: { elemType: field(1, 'TypeProto') } },
    TypeProtoMap: { fields: { keyType: field(1, 'int32'), valueType: field(2, 'TypeProto') } },
    TensorShapeProto: { fields: { dim: repeated(1, 'Dimension') } },
    Dimension: {
      fields: { dimValue: field(1, 'int64'), dimParam: field(2, 'string'), denotation: field(3, 'string') },
    },
  },
});

const modelProto = root.lookupType('ModelProto');

export interface AttributeProto {
  readonly name?: string;
  readonly type?: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: TensorProto;
  readonly g?: GraphProto;
  readonly ints?: readonly number[];
  readonly floats?: readonly number[];
  readonly tensors?: readonly TensorProto[];
  readonly graphs?: readonly GraphProto[];
  /** Inside a function: the attribute of the function that is meant. */
  readonly refAttrName?: string;
  readonly sparseTensor?: object;
  readonly sparseTensors?: readonly object[];
}

export interface NodeProto {
  readonly name?: string;
  readonly opType: string;
  readonly domain?: string;
  /** An empty name is an optional input that is left out. */
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute?: readonly AttributeProto[];
}

/** Numbers are in `rawData`, in a field of their type, or in a file beside the model (`dataLocation` 1). */
export interface TensorProto {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData?: Uint8Array;
  readonly floatData?: readonly number[];
  readonly externalData?: readonly { readonly key: string; readonly value: string }[];
  readonly dataLocation?: number;
}

export interface Dimension {
  readonly dimValue?: number;
  readonly dimParam?: string;
}

export interface ValueInfoProto {
  readonly name: string;
  readonly type?: {
    readonly tensorType?: {
      readonly elemType?: number;
      readonly shape?: { readonly dim: readonly Dimension[] };
    };
  };
}

export interface GraphProto {
  readonly name?: string;
  readonly node: readonly NodeProto[];
  readonly initializer: readonly TensorProto[];
  readonly sparseInitializer?: readonly object[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
}

export interface OperatorSet {
  /** Empty for the operators of ONNX. */
  readonly domain?: string;
  readonly version?: number;
}

/** An operator that a model defines itself. */
export interface FunctionProto {
  readonly name: string;
  readonly domain?: string;
  readonly node: readonly NodeProto[];
  readonly opsetImport: readonly OperatorSet[];
}

export interface ModelProto {
  readonly irVersion?: number;
  readonly producerName?: string;
  readonly opsetImport?: readonly OperatorSet[];
  readonly functions?: readonly FunctionProto[];
  readonly graph: GraphProto;
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[];
}

/**
 * Reads an ONNX file. Everything that inference needs survives being encoded again; int64 values beyond 2^53 are
 * rounded, but for the largest and the smallest, which stand for "to the end".
 * @throws Error for bytes that are no model
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  const model = modelProto.toObject(modelProto.decode(bytes), { longs: Number, arrays: true });
  if (typeof model['graph'] !== 'object' || model['graph'] === null)
    throw new Error('it holds no ONNX graph');
  return { metadataProps: [], ...model, graph: model['graph'] };
}

/** Serialises a ModelProto given as a plain object. */
export function encodeModel(model: object): Uint8Array<ArrayBuffer> {
  return new Uint8Array(modelProto.encode(modelProto.fromObject({ ...model })).finish());
}
