/**
 * The rankers of a run folder: what is there is read, what is missing is trained and kept. Where several processes train each together,
 * the first one reads and writes for all.
 */
import { doneByFirst } from '../collectives/order.ts';
import type { Measured } from '../metrics/measured.ts';
import type { RankerState } from '../rankers/model.ts';
import type { ReadyRanker } from '../rankers/ready-ranker.ts';
import { gatherRanker, scatterRanker } from '../rankers/shared-state.ts';
import type { RankerResult } from '../rankers/train.ts';
import type { Start } from '../report/report.ts';
import { exists } from '../storage/files.ts';
import {
  type Base,
  checkpointOf,
  hasWeights,
  readBase,
  readResult,
  readWeights,
  removeCheckpoint,
  writeBase,
  writeResult,
  writeWeights,
} from './ranker-file.ts';
import { basePath, rankerPlace } from './ranker-place.ts';
import type { PlannedRow, RankerTrainer } from './ranker-trainer.ts';

export class KeptRankers {
  readonly #trainer: RankerTrainer;
  /** Of the seed that was asked for last: who wants many goes through them seed by seed. */
  #base: { readonly seed: number; readonly made: Promise<RankerState> } | null = null;

  constructor(trainer: RankerTrainer) {
    this.#trainer = trainer;
  }

  /** Of what is there, or is now trained. */
  async validationAuc(row: PlannedRow, start: Start, seed: number): Promise<Measured> {
    const kept = await doneByFirst(this.#trainer.group, async () => {
      const result = await readResult(this.#pathOf(row, start, seed));
      return result?.validationAuc ?? null;
    });
    return kept ?? (await this.train(row, start, seed)).validationAuc;
  }

  /** What is there, or is now trained; of a process by itself. */
  async result(row: PlannedRow, start: Start, seed: number): Promise<RankerResult> {
    return (await readResult(this.#pathOf(row, start, seed))) ?? (await this.train(row, start, seed));
  }

  /**
   * Trains a ranker, on from its checkpoint if there is one, and keeps it.
   * @param withWeights whether somebody may want it to score again
   */
  async train(
    row: PlannedRow,
    start: Start,
    seed: number,
    withWeights: boolean = this.#wantsWeights(row, start, seed),
  ): Promise<RankerResult> {
    const path = this.#pathOf(row, start, seed);
    const result = await this.#trainOn(row, start, seed, withWeights);
    await doneByFirst(this.#trainer.group, async () => {
      if (!(await exists(path))) await writeResult(path, result);
      await removeCheckpoint(path);
    });
    return result;
  }

  /** Sees to it that what warm rankers of a seed go on from is there. */
  async prepareBase(seed: number): Promise<void> {
    await this.#baseOf(seed);
  }

  /**
   * The first seed's ranker of a row, begun warm; trained only if its weights are not there. Of a process by itself. The caller
   * releases it.
   */
  async ready(row: PlannedRow): Promise<ReadyRanker> {
    const seed = this.#trainer.config.seeds[0]!;
    const path = this.#pathOf(row, 'warm', seed);
    if (!(await hasWeights(path))) await this.train(row, 'warm', seed, true);
    return this.#trainer.ready(row, seed, await readWeights(path));
  }

  async #trainOn(row: PlannedRow, start: Start, seed: number, withWeights: boolean): Promise<RankerResult> {
    const path = this.#pathOf(row, start, seed);
    const { group } = this.#trainer;
    const base = start === 'warm' ? await this.#baseOf(seed) : null;
    const part = start === 'warm' ? 'newer' : 'all';
    const { result, model } = await this.#trainer.train(row, seed, base, part, checkpointOf(path));
    try {
      if (withWeights) {
        const weights = await gatherRanker(group, await model.weights());
        await doneByFirst(group, () => writeWeights(path, weights));
      }
    } finally {
      await model.release();
    }
    return result;
  }

  /** The ranker without images of a seed that warm ones go on from, which learns from the older part. */
  #baseOf(seed: number): Promise<RankerState> {
    if (this.#base?.seed !== seed) this.#base = { seed, made: this.#makeBase(seed) };
    return this.#base.made;
  }

  async #makeBase(seed: number): Promise<RankerState> {
    const { group, folder } = this.#trainer;
    const path = basePath(folder, seed);
    const kept: Base[] = [];
    const isKept = await doneByFirst(group, async () => {
      const base = await readBase(path);
      if (base !== null) kept.push(base);
      return base !== null;
    });
    if (isKept) return scatterRanker(group, kept[0]?.state ?? null);
    const { result, state, model } = await this.#trainer.train(null, seed, null, 'older', checkpointOf(path));
    await model.release();
    const whole = await gatherRanker(group, state);
    await doneByFirst(group, async () => {
      await writeBase(path, { result, state: whole });
      await removeCheckpoint(path);
    });
    return state;
  }

  /** Diagnosis looks into a row with images, an export may be asked for of any. */
  #wantsWeights(row: PlannedRow, start: Start, seed: number): boolean {
    const { seeds, diagnosis, export: exported = null } = this.#trainer.config;
    if (start !== 'warm' || seed !== seeds[0]) return false;
    return exported !== null || (diagnosis && row !== null);
  }

  #pathOf(row: PlannedRow, start: Start, seed: number): string {
    return rankerPlace(this.#trainer.folder, row, start, seed).path;
  }
}
