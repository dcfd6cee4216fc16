/** One failure does not lose the rest: what fails is noted, and the comparison goes on. */
import type { ProcessGroup } from '../collectives/process-group.ts';
import { allGatherJson } from '../collectives/texts.ts';
import { CourierError, messageOf } from '../errors.ts';
import type { Progress } from '../progress.ts';
import type { Failure } from '../report/report.ts';

/** What is computed at once, and fails at once. */
export type Unit = Omit<Failure, 'code' | 'message'>;

/** Runs the work of a unit. @returns null where it failed and that was noted */
export type Attempt = <T>(unit: Unit, work: () => Promise<T>) => Promise<T | null>;

/** Lets errors pass. */
export const plainly: Attempt = (_, work) => work();

export class Failures {
  readonly #progress: Progress;
  readonly #signal: AbortSignal | undefined;
  readonly #list: Failure[] = [];

  constructor(progress: Progress, signal: AbortSignal | undefined) {
    this.#progress = progress;
    this.#signal = signal;
  }

  get list(): readonly Failure[] {
    return this.#list;
  }

  readonly attempt: Attempt = async (unit, work) => {
    try {
      return await work();
    } catch (thrown) {
      if (endsEverything(thrown, this.#signal)) throw thrown;
      const code = thrown instanceof CourierError ? thrown.code : 'BUG';
      const failure = { ...unit, code, message: messageOf(thrown) };
      // Of a bug the place is what its report needs.
      this.#note(
        failure,
        thrown instanceof Error && code === 'BUG' ? (thrown.stack ?? failure.message) : failure.message,
      );
      return null;
    }
  };

  /** Brings those of each process to all. */
  async share(group: ProcessGroup): Promise<void> {
    for (const failure of (await allGatherJson(group, this.#list)).flat())
      if (!this.#list.some((known) => sameUnit(known, failure))) this.#note(failure, failure.message);
  }

  #note(failure: Failure, why: string): void {
    this.#list.push(failure);
    this.#progress({ kind: 'note', text: `Failed: ${describeFailure(failure)}: ${why}` });
  }
}

function sameUnit(a: Unit, b: Unit): boolean {
  return (
    a.stage === b.stage &&
    a.source === b.source &&
    a.features === b.features &&
    a.start === b.start &&
    a.seed === b.seed
  );
}

/**
 * An interrupt is no failure, nor is another process at work in the same place; where nothing can be written any more
 * nothing else would be kept either, and processes that have lost each other share nothing any more.
 */
export function endsEverything(thrown: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted === true) return true;
  const codes = ['INTERRUPTED', 'OUTPUT_IN_USE', 'OUTPUT_NOT_WRITABLE', 'MPI_FAILED', 'PROCESSES_DIFFER'];
  return thrown instanceof CourierError && codes.includes(thrown.code);
}

/** Such as `courier, seed 2 (embed, TRAINING_COLLAPSED)`. */
export function describeFailure({ source, features, start, seed, stage, code }: Failure): string {
  const parts = [source ?? 'without images', features, start, seed === null ? null : `seed ${seed}`];
  return `${parts.filter((part) => part !== null).join(', ')} (${stage}, ${code})`;
}

/** What a comparison ends with of which only the ranker without images is left, or not even that. */
export function nothingSucceeded(failures: readonly Failure[]): CourierError {
  const reasons = [...new Set(failures.map((failure) => `${describeFailure(failure)}: ${failure.message}`))];
  return new CourierError(
    'COMPARISON_FAILED',
    `Nothing could be compared. ${reasons.join(' ')}`,
    'Mend the causes and run the same command again; what was finished is kept.',
  );
}
