/** What the engine runs, whoever makes it. */

export type DataType = 'float32' | 'int32' | 'int64' | 'uint8' | 'bool';

export interface TensorDescription {
  readonly type: DataType;
  readonly shape: readonly number[];
}

/**
 * How a model is written: `fused` with ONNX Runtime's own product, for its CPU and CUDA; `standard` with nothing but
 * operators of ONNX, for WebGPU, other runtimes, and files that leave the house.
 */
export type Target = 'fused' | 'standard';

/** A model that can be written as a file, and what it takes and gives. */
export interface Model {
  /** The ONNX file, in operators that the target runs, with the values that constants have at this moment. */
  encode(target: Target): Uint8Array<ArrayBuffer>;
  readonly inputs: Readonly<Record<string, TensorDescription>>;
  readonly outputs: Readonly<Record<string, TensorDescription>>;
}
