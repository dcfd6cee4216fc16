/**
 * An embedding table on disk: a safetensors file of the rows that were looked up, with the optimiser's state, so
 * that training goes on as if it had never stopped.
 */
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import { readSafeTensors, type SafeTensor, writeSafeTensors } from '../storage/safetensors.ts';
import type { TableState } from './embedding-table.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';

const metadataSchema = z.object({
  optimizer: z.enum(['adagrad', 'adam']),
  step: z.coerce.number().int().nonnegative(),
  // Written into every file: without one, the file is not ours.
  sha256: z.string(),
});

/**
 * Writes `rows` (n) and `table` (n, 1 + slots, E).
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function saveTable(path: string, state: TableState): Promise<void> {
  const { rows, memory, optimizer, dimension, step } = state;
  const shape = [rows.length, 1 + sparseOptimizers[optimizer].slots, dimension];
  await writeSafeTensors(path, {
    metadata: { optimizer, step: String(step) },
    tensors: new Map<string, SafeTensor>([
      ['rows', { shape: [rows.length], data: rows }],
      ['table', { shape, data: memory }],
    ]),
  });
}

/**
 * @returns what `saveTable` was given
 * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE, or FILE_CORRUPT for a file that is not whole or not such a table
 */
export async function loadTable(path: string): Promise<TableState> {
  const file = await readSafeTensors(path, 'Embedding table');
  const metadata = metadataSchema.safeParse(file.metadata);
  if (!metadata.success) throw unusable(path, 'it does not say how it was trained');
  const { optimizer, step } = metadata.data;
  const [rows, table] = [file.tensors.get('rows'), file.tensors.get('table')];
  if (
    !(rows?.data instanceof Int32Array) ||
    !(table?.data instanceof Float32Array) ||
    file.tensors.size !== 2
  )
    throw unusable(path, 'it does not hold rows and their table');
  const [count, parts, dimension] = table.shape;
  const isTable = table.shape.length === 3 && rows.shape.length === 1 && rows.data.length === count;
  const isOfOptimizer = parts === 1 + sparseOptimizers[optimizer].slots;
  if (!isTable || !isOfOptimizer || dimension === undefined || dimension === 0)
    throw unusable(path, 'its shapes do not agree');
  // The checksum tells damage, not intent: a row number that lies outside would be written outside.
  for (let index = 0, before = 0; index < rows.data.length; before = rows.data[index++]!) {
    if (rows.data[index]! <= before) throw unusable(path, 'its row numbers do not ascend from 1');
  }
  return { optimizer, dimension, step, rows: rows.data, memory: table.data };
}

function unusable(path: string, problem: string): CourierError {
  return new CourierError(
    'FILE_CORRUPT',
    `Embedding table ${path} cannot be used: ${problem}.`,
    'Delete it and the ranker beside it, and run the command again.',
  );
}
