/** Memory that goes from thread to thread without being copied, and memory that goes at once. */
import { MessageChannel } from 'node:worker_threads';
import type { NamedValues, Values } from './protocol.ts';

/** Values as a message takes them along, and their memory, which then is the receiver's alone. */
export interface HandedOver {
  readonly values: NamedValues;
  readonly buffers: readonly ArrayBuffer[];
}

/**
 * Nothing of these values is copied, but for those that are only a part of their memory: the rest has other users.
 * Shared memory stays shared.
 */
export function handOver(values: NamedValues): HandedOver {
  const own = Object.entries(values).map(([name, array]) => [name, withOwnMemory(array)] as const);
  return {
    values: Object.fromEntries(own),
    buffers: [
      ...new Set(
        own
          .map(([, array]) => array)
          .filter(isWhole)
          .map(({ buffer }) => buffer),
      ),
    ],
  };
}

type OwnValues =
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>;

function withOwnMemory(array: Values): Values {
  return isWhole(array) || isShared(array) ? array : copyOf(array);
}

function isWhole(array: Values): array is OwnValues {
  return array.buffer instanceof ArrayBuffer && array.byteLength === array.buffer.byteLength;
}

/** Nothing of these values is copied, but for parts of others' memory; the caller cannot read them any more. */
export function takeOver(values: NamedValues): NamedValues {
  const { values: own, buffers } = handOver(values);
  return buffers.length === 0 ? own : structuredClone(own, { transfer: [...buffers] });
}

/** Whether others may read and write this memory at the same time: it stays where it is. */
export function isShared({ buffer }: Values): boolean {
  return buffer instanceof SharedArrayBuffer;
}

/** A copy in memory of its own. */
export function copyOf(array: Values): OwnValues {
  // A slice of a Buffer of Node would be a view again.
  return array instanceof Uint8Array ? new Uint8Array(array) : array.slice();
}

/** The same memory, byte by byte. */
export function bytesOf({ buffer, byteOffset, byteLength }: Values): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

const { port1: nowhere } = new MessageChannel();
nowhere.close();

/**
 * Frees the memory of arrays that nobody uses any more, which are empty then. A thread that computes elsewhere than in
 * JavaScript seldom collects garbage, and would hold the photos of many batches.
 */
export function free(arrays: readonly Values[]): void {
  // What is handed over to a closed port is gone.
  nowhere.postMessage(null, [...new Set(arrays.filter(isWhole).map(({ buffer }) => buffer))]);
}
