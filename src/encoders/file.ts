/** An encoder.onnx as a file: what it takes and gives, told from its bytes alone. */

import { createHash } from 'node:crypto';
import { learnedUntilIn } from '../data/embeddings/learned-until.ts';
import { CourierError, messageOf } from '../errors.ts';
import { decodeModel, type ModelProto } from '../graph/onnx-schema.ts';
import type { Model } from '../runtime/model.ts';
import { readInput } from '../storage/files.ts';

export interface EncoderFile {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the bytes. */
  readonly hash: string;
  /** Side S of the photos it takes, in pixels. */
  readonly side: number;
  /** Length d of the embeddings it gives. */
  readonly dimension: number;
}

/** @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE; FILE_CORRUPT for a file that is no encoder */
export async function readEncoderFile(path: string): Promise<EncoderFile> {
  return encoderFileOf(path, new Uint8Array(await readInput(path, 'Encoder')));
}

/** @throws CourierError FILE_CORRUPT unless it takes photos (…, S, S, 3) and gives embeddings (…, d) */
export function encoderFileOf(path: string, bytes: Uint8Array<ArrayBuffer>): EncoderFile {
  try {
    const { graph } = decodeModel(bytes);
    const [, side, width, colours] = shapeNamed(graph.input, 'photos');
    const [, dimension] = shapeNamed(graph.output, 'embeddings');
    if (side === undefined || side !== width || colours !== 3) throw new Error('it takes no square photos');
    if (dimension === undefined) throw new Error('it does not say how long its embeddings are');
    return { path, bytes, hash: createHash('sha256').update(bytes).digest('hex'), side, dimension };
  } catch (error) {
    throw unusableEncoder(path, error);
  }
}

/** Lengths of the axes; undefined for an open one. */
function shapeNamed(values: ModelProto['graph']['input'], name: string): readonly (number | undefined)[] {
  const found = values.find((value) => value.name === name);
  if (found === undefined) throw new Error(`it has no ${name}`);
  return found.type?.tensorType?.shape?.dim.map(({ dimValue }) => dimValue) ?? [];
}

/** Up to when the encoder has seen clicks, as `learnedUntilIn` gives it. */
export function learnedUntilOf({ bytes }: EncoderFile): number | null {
  return learnedUntilIn(new Map(decodeModel(bytes).metadataProps.map(({ key, value }) => [key, value])));
}

/** The encoder as the engine takes it. */
export function modelOf({ bytes, side, dimension }: EncoderFile): Model {
  return {
    encode: () => bytes,
    inputs: { photos: { type: 'uint8', shape: [1, side, side, 3] } },
    outputs: { embeddings: { type: 'float32', shape: [1, dimension] } },
  };
}

export function unusableEncoder(path: string, error: unknown): CourierError {
  const remedy = 'Use an encoder.onnx that pretrain wrote, for photos of the side of this dataset.';
  return new CourierError('FILE_CORRUPT', `Encoder ${path} cannot be used: ${messageOf(error)}`, remedy, {
    cause: error,
  });
}
