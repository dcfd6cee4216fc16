/** What the main thread and the compute thread say to each other. */
import type { Device } from './device.ts';
import type { Model, TensorDescription } from './model.ts';

export type Values = Float32Array | Int32Array | Uint8Array | BigInt64Array;
export type NamedValues = Readonly<Record<string, Values>>;

export interface EngineOptions {
  /** Threads that share each operator. */
  readonly threads: number;
  /** Where sessions compute; what a device lacks is computed on the CPU. */
  readonly device: Device;
}

/** A model as its device takes it. */
export interface EncodedModel extends Pick<Model, 'inputs' | 'outputs'> {
  readonly bytes: Uint8Array;
}

export type Request =
  | {
      readonly kind: 'load';
      readonly session: number;
      readonly model: EncodedModel;
      readonly state: number | null;
    }
  | { readonly kind: 'hold'; readonly session: number; readonly feeds: NamedValues }
  | { readonly kind: 'run'; readonly session: number; readonly feeds: NamedValues }
  | { readonly kind: 'release'; readonly session: number }
  | {
      readonly kind: 'writeState';
      readonly state: number;
      readonly values: Readonly<Record<string, Float32Array>>;
    }
  | {
      readonly kind: 'readState';
      readonly state: number;
      /** All where it is null. */
      readonly names: readonly string[] | null;
    }
  | { readonly kind: 'releaseState'; readonly state: number };

export type Reply =
  | { readonly id: number; readonly ok: true; readonly values: NamedValues }
  | {
      readonly id: number;
      readonly ok: false;
      readonly message: string;
      /** Whether it is a ModelError. */
      readonly ofModel: boolean;
    };

/** A model output of this prefix replaces the state tensor of the rest of its name. */
export const nextPrefix = 'next.';

/**
 * The shape of values that fill `description`, whose leading axis may be open.
 * @throws Error when the values do not fill whole rows
 */
export function shapeOf(name: string, values: Values, description: TensorDescription): readonly number[] {
  const [leading, ...rest] = description.shape;
  const row = rest.reduce((product, length) => product * length, 1);
  if (leading === undefined ? values.length !== 1 : values.length % row !== 0) {
    throw new Error(`input ${name}: ${values.length} values do not fill [${description.shape}]`);
  }
  return leading === undefined ? [] : [values.length / row, ...rest];
}
