/** Work that is done ahead of whoever consumes it, within bounds. */

export interface Bounds {
  /** Tasks that run at the same time. */
  readonly active: number;
  /** Tasks that have been started, or are done, and whose result nobody took yet. */
  readonly ahead: number;
}

/**
 * Results of `task(0)` … `task(count - 1)`, in that order, while later tasks are under way. However slow the
 * consumer is, no more than `ahead` results wait for it.
 */
export async function* mapAhead<R>(
  count: number,
  task: (index: number) => Promise<R>,
  { active, ahead }: Bounds,
): AsyncGenerator<R, void, undefined> {
  const gate = new Gate(active);
  const started: Promise<R>[] = [];
  let next = 0;
  const fill = () => {
    while (next < count && started.length < ahead) {
      const index = next++;
      const result = gate.pass(() => task(index));
      // Whoever takes the result hears of its error; until then it is no one's.
      result.catch(() => {});
      started.push(result);
    }
  };
  try {
    for (fill(); started.length > 0; fill()) yield await started.shift()!;
  } finally {
    await Promise.allSettled(started);
  }
}

/** Lets so many in at once; the others wait in the order in which they came. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async pass<R>(work: () => Promise<R>): Promise<R> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((enter) => this.#waiting.push(enter));
    try {
      return await work();
    } finally {
      const enter = this.#waiting.shift();
      if (enter === undefined) this.#free++;
      else enter();
    }
  }
}
