/** The log of a search: one line for each finished trial. */
import { appendFile, truncate } from 'node:fs/promises';
import { z } from 'zod';
import { headNames } from '../../graph/layers.ts';
import { asOutputError, exists, readInput } from '../../storage/files.ts';
import { parseJson } from '../../storage/json.ts';

const trialSchema = z.strictObject({
  round: z.int(),
  trial: z.int(),
  steps: z.int(),
  settings: z.strictObject({
    learningRate: z.number(),
    temperature: z.number().nullable(),
    batchSize: z.int(),
    candidates: z.int(),
    augmentation: z.boolean(),
    head: z.enum(headNames).nullable(),
    patch: z.int().nullable(),
    whitening: z.number().nullable(),
    dropout: z.number().nullable(),
  }),
  /** SimScore AUC on the validation period; null for a trial that failed. */
  score: z.number().nullable(),
  /** Why it failed. */
  failure: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  /** Of training, over all calls; the only value that is not the same every time. */
  seconds: z.number(),
});

export type Trial = z.output<typeof trialSchema>;

export class SearchLog {
  /** null where another process keeps it. */
  readonly #path: string | null;
  readonly #trials: Trial[];

  private constructor(path: string | null, trials: Trial[]) {
    this.#path = path;
    this.#trials = trials;
  }

  /** Opens the log without a last line that was cut off. */
  static async open(path: string): Promise<SearchLog> {
    if (!(await exists(path))) return new SearchLog(path, []);
    const trials: Trial[] = [];
    let kept = 0;
    for (const line of (await readInput(path, 'Log of trials')).toString('utf8').split('\n').slice(0, -1)) {
      const parsed = trialSchema.safeParse(parseJson(line));
      if (!parsed.success) break;
      trials.push(parsed.data);
      kept += Buffer.byteLength(line) + 1;
    }
    await truncate(path, kept);
    return new SearchLog(path, trials);
  }

  /** The log as another process has it, which is the one that keeps what is appended. */
  static keptElsewhere(trials: readonly Trial[]): SearchLog {
    return new SearchLog(null, [...trials]);
  }

  get trials(): readonly Trial[] {
    return this.#trials;
  }

  find(round: number, trial: number): Trial | undefined {
    return this.#trials.find((one) => one.round === round && one.trial === trial);
  }

  async append(trial: Trial): Promise<void> {
    const path = this.#path;
    if (path !== null)
      await appendFile(path, `${JSON.stringify(trial)}\n`).catch((error: unknown) => {
        throw asOutputError(error, path);
      });
    this.#trials.push(trial);
  }
}
