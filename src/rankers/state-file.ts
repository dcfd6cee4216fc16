/** States of rankers in safetensors files: their vectors and the rows of their tables, each as it lies in memory. */
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import { parseJson } from '../storage/json.ts';
import type { SafeTensor, SafeTensors } from '../storage/safetensors.ts';
import type { TableState } from './embedding-table.ts';
import type { RankerState } from './model.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';

const stateSchema = z.object({
  step: z.int().nonnegative(),
  layout: z.object({
    places: z.array(z.object({ name: z.string(), shape: z.array(z.int()), offset: z.int(), size: z.int() })),
    size: z.int().nonnegative(),
  }),
  table: z.object({
    optimizer: z.enum(['adagrad', 'adam', 'none']),
    dimension: z.int().positive(),
    step: z.int().nonnegative(),
  }),
});

/**
 * A state as part of a file.
 * @param name of the part: before those of its tensors, which are `vectors/…` (P), `table/rows` (n), `table/values`
 * (n, 1 + slots, E) and, where rows outside of a batch change too, `table/current` (n)
 */
export function encodeState(name: string, { layout, vectors, step, table }: RankerState): SafeTensors {
  const { rows, memory, current, ...about } = table;
  const shape = [rows.length, 1 + sparseOptimizers[about.optimizer].slots, about.dimension];
  const tensors: [string, SafeTensor][] = [
    ...Object.entries(vectors).map(([vector, data]): [string, SafeTensor] => [
      `vectors/${vector}`,
      { shape: [data.length], data },
    ]),
    ['table/rows', { shape: [rows.length], data: rows }],
    ['table/values', { shape, data: memory }],
    ...(current === null
      ? []
      : [['table/current', { shape: [current.length], data: current }] satisfies [string, SafeTensor]]),
  ];
  return {
    metadata: { [name]: JSON.stringify({ step, layout, table: about }) },
    tensors: new Map(tensors.map(([own, tensor]) => [`${name}/${own}`, tensor])),
  };
}

/**
 * @param path of the file, for messages
 * @returns what `encodeState` was given under this name
 * @throws CourierError FILE_CORRUPT where there is no such state
 */
export function decodeState(name: string, { metadata, tensors }: SafeTensors, path: string): RankerState {
  const about = stateSchema.safeParse(parseJson(metadata[name] ?? ''));
  if (!about.success) throw damaged(path, `does not describe its ${name}`);
  const { layout, step, table } = about.data;
  const prefix = `${name}/vectors/`;
  const vectors: Record<string, Float32Array> = {};
  for (const [own, { data }] of tensors) {
    if (!own.startsWith(prefix)) continue;
    if (!(data instanceof Float32Array) || data.length !== layout.size)
      throw damaged(path, `has no ${layout.size} values of ${own}`);
    vectors[own.slice(prefix.length)] = data;
  }
  const { parameters } = vectors;
  if (parameters === undefined) throw damaged(path, `has no parameters of its ${name}`);
  const parts = {
    rows: tensors.get(`${name}/table/rows`)?.data,
    memory: tensors.get(`${name}/table/values`)?.data,
    current: tensors.get(`${name}/table/current`)?.data ?? null,
  };
  return {
    layout,
    vectors: { ...vectors, parameters },
    step,
    table: { ...table, ...requireTable(parts, table, path) },
  };
}

/** @throws CourierError FILE_CORRUPT for parts that are no table, or no whole one */
function requireTable(
  parts: { readonly rows: unknown; readonly memory: unknown; readonly current: unknown },
  { optimizer, dimension, step }: Pick<TableState, 'optimizer' | 'dimension' | 'step'>,
  path: string,
): Pick<TableState, 'rows' | 'memory' | 'current'> {
  const { rows, memory, current } = parts;
  if (!(rows instanceof Int32Array) || !(memory instanceof Float32Array))
    throw damaged(path, 'has no rows of an embedding table');
  const { slots, idleRows } = sparseOptimizers[optimizer];
  if (memory.length !== rows.length * (1 + slots) * dimension)
    throw damaged(path, `has ${memory.length} values for ${rows.length} rows of its embedding table`);
  // The checksum tells damage, not intent: a row number that lies outside would be written outside.
  for (let index = 0, before = 0; index < rows.length; before = rows[index++]!) {
    if (rows[index]! <= before) throw damaged(path, 'has row numbers that do not ascend from 1');
  }
  if (idleRows === null) return { rows, memory, current: null };
  const whole = current instanceof Int32Array && current.length === rows.length;
  if (!whole || current.some((updates) => updates < 0 || updates > step))
    throw damaged(path, 'does not say how far the rows of its embedding table are');
  return { rows, memory, current };
}

function damaged(path: string, problem: string): CourierError {
  return new CourierError('FILE_CORRUPT', `${path} ${problem}.`, 'Delete it and run the command again.');
}
