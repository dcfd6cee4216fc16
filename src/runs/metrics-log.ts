/** metrics.jsonl: one JSON object a line, each with the step it belongs to. */
import { appendFile, truncate } from 'node:fs/promises';
import { z } from 'zod';
import { asOutputError, exists, readInput } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';

const recordSchema = z.object({ step: z.int() }).loose();

export type MetricsRecord = Readonly<z.output<typeof recordSchema>>;

/**
 * The whole records of a log, whose run may be unfinished, in their order; none where there is no log.
 * @throws CourierError FILE_UNREADABLE
 */
export async function readMetrics(path: string): Promise<readonly MetricsRecord[]> {
  return (await wholeLines(path)).map(({ record }) => record);
}

/** 0 where there is no such number. */
export function numberOf(record: MetricsRecord | undefined, key: string): number {
  const value = record?.[key];
  return typeof value === 'number' ? value : 0;
}

/** Writes the log of a run. */
export class MetricsLog {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Opens the log, without the lines that a run wrote after the step from which it is resumed. */
  static async open(path: string, afterStep: number): Promise<MetricsLog> {
    if (await exists(path)) {
      const lines = await wholeLines(path);
      const later = lines.find(({ record }) => record.step > afterStep);
      await truncate(path, later?.from ?? lines.at(-1)?.to ?? 0);
    }
    return new MetricsLog(path);
  }

  /** @throws CourierError OUTPUT_NOT_WRITABLE */
  async append(record: { readonly step: number } & Readonly<Record<string, number>>): Promise<void> {
    await appendFile(this.#path, `${JSON.stringify(record)}\n`).catch((error: unknown) => {
      throw asOutputError(error, this.#path);
    });
  }
}

/** Records with the bytes of the file that they take, up to the first line that is none or was cut off. */
async function wholeLines(path: string) {
  if (!(await exists(path))) return [];
  const text = (await readInput(path, 'Metrics log')).toString('utf8');
  const lines: { readonly record: MetricsRecord; readonly from: number; readonly to: number }[] = [];
  let from = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    const parsed = recordSchema.safeParse(parseJson(line));
    if (!parsed.success) break;
    const to = from + Buffer.byteLength(line) + 1;
    lines.push({ record: parsed.data, from, to });
    from = to;
  }
  return lines;
}
