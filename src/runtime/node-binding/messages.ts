/** What the main thread and the compute thread of the binding for Node say to each other. */
import type { Device } from '../device.ts';
import type { Model } from '../model.ts';
import type { NamedValues } from '../protocol.ts';

/** What a compute thread is started with. */
export interface ThreadOptions {
  /** Threads that share each operator. */
  readonly threads: number;
  readonly device: Device;
  /** Its first element is 1 as soon as nobody waits for answers any more. Shared. */
  readonly closed: Int32Array;
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
