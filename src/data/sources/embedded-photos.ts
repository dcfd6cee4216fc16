/** Photos whose bytes lie in a column of the catalogue, as Hugging Face's data sets have them, or as text in base64. */

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBBlobValue } from '@duckdb/node-api';
import { LargeMap } from '../../large-map.ts';
import { describeSelect } from '../duckdb/duckdb.ts';
import { type PhotoInput, PhotoTooLarge } from '../photos/photo-file.ts';
import { type RelationOptions, withRelation } from './relation.ts';

/** Photos by the row of their table, from 0; undefined where there is none. */
export type PhotosOfRows = LargeMap<number, PhotoInput>;

/** Where the bytes of a photo lie in the file that they wait in. */
interface Place {
  readonly offset: number;
  readonly length: number;
}

/**
 * Copies the photos of a column into a file of the scratch folder, a chunk of rows at a time.
 * @param column a name or an SQL expression
 * @returns null where the column does not hold bytes, or does not exist
 */
export async function embeddedPhotos(
  input: string,
  column: string,
  reading: RelationOptions,
  scratch: string,
): Promise<PhotosOfRows | null> {
  return withRelation(input, reading, async (connection, relation) => {
    const [described] = await describeSelect(connection, relation.sql, `${column} AS value`).catch(() => []);
    const bytes = bytesOf(column, described?.type ?? '');
    if (bytes === null) return null;
    const path = join(scratch, 'embedded-photos');
    const file = await open(path, 'w');
    const photos = new LargeMap<number, PhotoInput>();
    try {
      const result = await connection.stream(`SELECT ${bytes} FROM ${relation.sql}`);
      let [row, offset] = [0, 0];
      for await (const chunk of result) {
        reading.signal?.throwIfAborted();
        for (const value of chunk.getColumnValues(0)) {
          if (value instanceof DuckDBBlobValue) {
            const { length } = value.bytes;
            await file.write(value.bytes, 0, length, offset);
            photos.set(row, waiting(path, { offset, length }, `row ${row + 1}`));
            offset += length;
          }
          row++;
        }
      }
      return photos;
    } finally {
      await file.close();
    }
  });
}

/** SQL for the bytes of the first photo in a column of a type; null where there are none. */
function bytesOf(column: string, type: string): string | null {
  const isList = type.endsWith('[]');
  const element = isList ? `(${column})[1]` : `(${column})`;
  const elementType = isList ? type.slice(0, -2) : type;
  if (elementType === 'BLOB') return element;
  return /^STRUCT\(.*"?\bbytes\b"? BLOB/.test(elementType) ? `${element}.bytes` : null;
}

function waiting(path: string, { offset, length }: Place, name: string): PhotoInput {
  return {
    kind: 'bytes',
    name,
    async read(limit) {
      if (length > limit) throw new PhotoTooLarge();
      const file = await open(path, 'r');
      try {
        const bytes = Buffer.alloc(length);
        await file.read(bytes, 0, length, offset);
        return bytes;
      } finally {
        await file.close();
      }
    },
  };
}

/** A photo that is written as text: a data URI, or base64 alone; null for any other text. */
export function photoInText(text: string): PhotoInput | null {
  const encoded = /^data:image\/[\w.+-]+;base64,(.*)$/s.exec(text)?.[1] ?? (isBase64(text) ? text : null);
  if (encoded === null) return null;
  return { kind: 'bytes', name: 'a photo in base64', read: async () => Buffer.from(encoded, 'base64') };
}

/** What JPEG, PNG, WebP, GIF and BMP begin with in base64, and nothing but its letters: a name of a file has a dot. */
function isBase64(text: string): boolean {
  return /^(\/9j\/|iVBORw0KGgo|UklGR|R0lGOD|Qk)/.test(text) && /^[A-Za-z0-9+/\s]{64,}={0,2}\s*$/.test(text);
}
