/** What is known of an exposure without looking at a photo; every counter from strictly earlier events. */
import { oneProcess } from '../../collectives/one-process.ts';
import type { ProcessGroup } from '../../collectives/process-group.ts';
import { CourierError } from '../../errors.ts';
import type { Part } from '../parts.ts';
import { counterColumns } from './counter-tables.ts';
import { columnMemory } from './shares/column-memory.ts';
import type { CountedLog } from './shares/counted-log.ts';
import { countingThreads } from './shares/counting.ts';
import { countTogether } from './shares/counting-together.ts';

/** A feature that comes with the log, one value per exposure; NaN where it is missing. (R) */
export interface NumericColumn {
  readonly name: string;
  readonly values: Float64Array;
}

/** A log, and the features that came with it. */
export interface FeatureInput extends CountedLog {
  readonly numeric: readonly NumericColumn[];
}

/** Who works on it: this process and its threads, and others that wait for its errands. */
export interface FeatureWork {
  readonly group: ProcessGroup;
  /** Threads of this process. */
  readonly threads: number;
}

/**
 * Base features of exposures, some page views at a time, in the order of time: the columns of `Counters`, then the log's own, NaN
 * where missing. They have the same bits whoever works on them.
 * @throws CourierError CONFIG_INVALID when two features have one name
 */
export class BaseFeatures {
  readonly names: readonly string[];
  /** Those of which a value was missing so far. */
  readonly missing = new Set<string>();
  readonly #input: FeatureInput;
  readonly #work: FeatureWork;
  readonly #counted: number;

  constructor(input: FeatureInput, work?: Partial<FeatureWork>) {
    const { categories, settings, numeric } = input;
    const { group = oneProcess } = work ?? {};
    const { threads = countingThreads(input, group.size) } = work ?? {};
    const counted = counterColumns(categories, settings.withExposures).names;
    const logged = numeric.map(({ name }) => name);
    this.#input = input;
    this.#work = { group, threads };
    this.#counted = counted.length;
    this.names = [...counted, ...logged];
    requireDistinct([...this.names, ...logged.map(missingName)]);
  }

  /**
   * One pass over time: what happened before a page view is observed, then its candidates are described.
   * @param parts page views, in their order and all of them
   * @returns (F) columns of the exposures of each part, until those of the part after the next are asked for
   * @throws CourierError VALUE_INVALID for a value outside the range of a 32-bit float
   */
  async *columnsOf(
    parts: readonly Part[],
    signal?: AbortSignal,
  ): AsyncGenerator<readonly Float32Array[], void> {
    const { start } = this.#input.pageViews;
    const { group, threads } = this.#work;
    const memory = columnMemory(this.names.length);
    const counting = await countTogether(group, this.#input, parts, threads);
    try {
      for (const part of parts) {
        const columns = memory(start[part.to]! - start[part.from]!);
        await counting.fill(part, columns.slice(0, this.#counted), signal);
        this.#fillLogged(columns, start[part.from]!);
        yield columns;
      }
    } finally {
      await counting.close();
    }
  }

  #fillLogged(columns: readonly Float32Array[], first: number): void {
    for (const [place, { name, values }] of this.#input.numeric.entries()) {
      const column = columns[this.#counted + place]!;
      for (let row = 0; row < column.length; row++) {
        const value = values[first + row]!;
        column[row] = value;
        if (Number.isFinite(column[row]!)) continue;
        if (!Number.isNaN(value)) throw notFinite(name, value);
        this.missing.add(name);
      }
    }
  }
}

/** What the column that says where a number is missing is called. */
export function missingName(name: string): string {
  return `${name}_missing`;
}

function requireDistinct(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    const same = name.toLowerCase();
    if (seen.has(same)) {
      throw new CourierError(
        'CONFIG_INVALID',
        `Two numeric features are called ${name}; upper and lower case count as the same.`,
        'Rename the column of the log or the catalogue.',
      );
    }
    seen.add(same);
  }
}

function notFinite(name: string, value: number): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `Feature ${name} has the value ${value}, which a 32-bit float cannot hold.`,
    'Correct the column in the log.',
  );
}
