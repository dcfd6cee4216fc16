/** Embeddings as a NumPy matrix with the ids of its rows beside it, for programs that read no Parquet. */
import { open, rm } from 'node:fs/promises';
import { writeJson, writeWhole } from '../../storage/files.ts';
import { type EmbeddingSize, vectorsAtSize, wholeSize } from './embedding-size.ts';
import type { TracedEmbeddings } from './embeddings.ts';
import { writeNpy } from './npy.ts';
import { provenanceAtSize, sidecar, sidecarOf } from './provenance.ts';

export interface MatrixFiles {
  /** float32 or int8 (n, d) */
  readonly vectors: string;
  /** CSV with the columns `item_id` and `image_hash`, a line for each row. */
  readonly ids: string;
  /** JSON that says where they come from. */
  readonly provenance: string;
}

/** `runs/e.parquet` → `runs/e.npy`, `runs/e.ids.csv`, `runs/e.json` */
export function matrixFiles(parquet: string): MatrixFiles {
  const stem = parquet.replace(/\.parquet$/i, '');
  const vectors = `${stem}.npy`;
  return { vectors, ids: `${stem}.ids.csv`, provenance: sidecarOf(vectors) };
}

/**
 * Writes what `readEmbeddings` reads as `VECTORS:IDS`.
 * @param size at which they are written
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function writeEmbeddingMatrix(
  files: MatrixFiles,
  traced: TracedEmbeddings,
  size: EmbeddingSize = wholeSize,
): Promise<void> {
  // Ids of an earlier matrix must never stand beside this one.
  await rm(files.ids, { force: true });
  await writeNpy(files.vectors, vectorsAtSize(traced.vectors, size));
  await writeIds(files.ids, traced);
  await writeJson(files.provenance, sidecar(provenanceAtSize(traced.provenance, size)));
}

/** Lines that are written at a time. */
const linesAtATime = 4096;

async function writeIds(path: string, { ids, hashes }: TracedEmbeddings): Promise<void> {
  await writeWhole(path, async (temporary) => {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile('item_id,image_hash\n');
      for (let from = 0; from < ids.length; from += linesAtATime) {
        const part = ids.slice(from, from + linesAtATime);
        await file.writeFile(part.map((id, row) => `${quoted(id)},${hashes[from + row]}\n`).join(''));
      }
    } finally {
      await file.close();
    }
  });
}

/** RFC 4180 */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
