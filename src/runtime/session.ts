/** What runs models, however ONNX Runtime is called. */
import type { Model } from './model.ts';
import { ModelError } from './model-error.ts';
import type { NamedValues } from './protocol.ts';

/** Where models are compiled: an engine, or a scope of one. */
export interface ModelLoader {
  /** Tensors that stay with the engine and that training steps replace. */
  createState(values: Readonly<Record<string, Float32Array>>): Promise<EngineState>;
  /**
   * Compiles a model. Inputs named like a tensor of `state` are taken from it.
   * @throws ModelError when ONNX Runtime does not take the model
   */
  load(model: Model, state?: EngineState | null): Promise<Session>;
}

/** Where models are compiled that several cores share. */
export interface SharedLoader extends ModelLoader {
  /** Cores that may each compute a model of their own beside each other; 1 where that is not possible. */
  readonly cores: number;
  /** Whether outputs that are kept for another model stay where they were computed; elsewhere they are copied there and back. */
  readonly keepsInPlace: boolean;
  /** So many more engines of a thread each. They end with this one. */
  perCore(count: number): readonly ModelLoader[];
}

/** What an engine does its work with. Requests are answered one after the other, in the order in which they came. */
export interface Backend extends ModelLoader {
  /** Ends what is being computed, and frees everything. */
  close(): Promise<void>;
}

export interface EngineState {
  /** Replaces all its tensors. The values are copied. */
  write(values: Readonly<Record<string, Float32Array>>): Promise<void>;
  /** Copies of its tensors. @param names of those that are wanted; by default all */
  read(names?: readonly string[] | null): Promise<Readonly<Record<string, Float32Array>>>;
  /** Frees the tensors, once; sessions that use them must be released first. */
  release(): Promise<void>;
}

export interface Session {
  /**
   * Keeps values of inputs for every run from now on, so that they are copied once. Replaces what was kept. Values in
   * shared memory are not copied: they must stay as they are until they are replaced.
   */
  hold(feeds: NamedValues): Promise<void>;
  /**
   * Runs the model once. Values are in row-major order; their number must fill the input's shape. They are copied at
   * once, so the caller's stay the caller's; but those in shared memory (a SharedArrayBuffer, a WebAssembly memory that is
   * shared) are read where they lie, and nobody may write there until the run has ended.
   * @param handedOver more values, whose arrays are not copied and not the caller's any more: for large ones
   * @param into arrays that outputs of fixed length are written into, instead of into new ones
   * @returns every output that is not part of the state
   * @throws ModelError when the model cannot be computed on these values
   */
  run(feeds: NamedValues, handedOver?: NamedValues, into?: NamedValues): Promise<NamedValues>;
  /** Frees the compiled model, once. */
  release(): Promise<void>;
}

/** The float32 output of that name. @throws ModelError when there is none */
export function floats(values: NamedValues, name: string): Float32Array {
  const found = values[name];
  if (found instanceof Float32Array) return found;
  throw new ModelError(`there is no float32 output ${name}`);
}
