/**
 * Smaller forms of embeddings: the first of their numbers alone, each number as a byte, or both. Direction is all that an
 * embedding says, so the scale of its bytes is kept nowhere.
 */
import { z } from 'zod';
import type { Vectors } from '../duckdb/columns.ts';

export interface EmbeddingSize {
  /** How many of the first numbers are kept; null for all. */
  readonly first: number | null;
  readonly numbers: 'float32' | 'int8';
}

export const wholeSize: EmbeddingSize = { first: null, numbers: 'float32' };

const form = /^(?:([1-9]\d{0,5})|(int8)|([1-9]\d{0,5})-int8)$/;

/** `64`, `int8`, `64-int8`: what settings call a size. */
export const embeddingSizes = z
  .array(
    z
      .union([z.int().min(1).max(999_999), z.string().regex(form, 'is none of 64, int8, 64-int8')])
      .transform(String),
  )
  .max(16)
  .refine((sizes) => new Set(sizes).size === sizes.length, 'names something twice')
  .default([]);

/** @param text as `embeddingSizes` has it */
export function sizeOf(text: string): EmbeddingSize {
  const [, alone, int8, both] = form.exec(text) ?? [];
  if (alone === undefined && int8 === undefined && both === undefined)
    throw new Error(`${text} is no size of embeddings`);
  const first = alone ?? both;
  return {
    first: first === undefined ? null : Number(first),
    numbers: alone === undefined ? 'int8' : 'float32',
  };
}

/** The contrary; null for whole embeddings. */
export function sizeText({ first, numbers }: EmbeddingSize): string | null {
  const parts = [...(first === null ? [] : [`${first}`]), ...(numbers === 'int8' ? ['int8'] : [])];
  return parts.length === 0 ? null : parts.join('-');
}

/** Numbers of an embedding that has `dimension` as a whole. */
export function lengthOf({ first }: EmbeddingSize, dimension: number): number {
  return first ?? dimension;
}

/** Bytes that an embedding takes which has `dimension` numbers as a whole. */
export function bytesOf(size: EmbeddingSize, dimension: number): number {
  return lengthOf(size, dimension) * (size.numbers === 'int8' ? 1 : 4);
}

/** Largest magnitude of a number of one byte: the scale is the same on both sides of zero. */
const largest = 127;

/** The numbers that are kept, each n/127 of the largest, as whole numbers; zeros stay zeros. */
export function asBytes(vector: Float32Array, size: EmbeddingSize): Int8Array {
  const kept = vector.subarray(0, lengthOf(size, vector.length));
  const most = kept.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = most === 0 ? 0 : largest / most;
  return Int8Array.from(kept, (value) => Math.round(value * scale));
}

/**
 * An embedding at a size, of length 1: what whoever reads it there compares. A vector of zeros, an item without a photo, stays
 * one; what is not finite stays so, for readers to refuse. (d) → (n)
 */
export function atSize(vector: Float32Array, size: EmbeddingSize): Float32Array {
  if (size.first === null && size.numbers === 'float32') return vector;
  if (!vector.every(Number.isFinite)) return vector.slice(0, lengthOf(size, vector.length));
  const kept =
    size.numbers === 'int8'
      ? Float32Array.from(asBytes(vector, size))
      : vector.slice(0, lengthOf(size, vector.length));
  const length = Math.sqrt(kept.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? kept : kept.map((value) => value / length);
}

/** Vectors as they are written at a size. */
export type SizedVectors =
  | { readonly numbers: 'float32'; readonly vectors: Vectors }
  | { readonly numbers: 'int8'; readonly vectors: Vectors<Int8Array> };

/** Vectors at a size, each made when it is looked at. */
export function vectorsAtSize(vectors: Vectors, size: EmbeddingSize): SizedVectors {
  const { length } = vectors;
  const dimension = lengthOf(size, vectors.dimension);
  return size.numbers === 'int8'
    ? {
        numbers: 'int8',
        vectors: { length, dimension, at: (row) => asBytes(vectors.at(row), size) },
      }
    : {
        numbers: 'float32',
        vectors: { length, dimension, at: (row) => atSize(vectors.at(row), size) },
      };
}
