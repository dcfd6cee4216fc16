/** Several trainings at a time, each with its share of the machine. */
import { usableCores } from '../cores.ts';
import type { Progress } from '../progress.ts';
import type { Device } from '../runtime/device.ts';
import { Engine } from '../runtime/engine.ts';
import { usualBudget } from '../runtime/memory.ts';

/** What one of the trainings that go on at a time may use. */
export interface Lane {
  readonly engine: Engine;
  readonly threads: number;
  /** Stops what goes on in the lane: because the caller asked for it, or because another lane failed. */
  readonly signal: AbortSignal | undefined;
}

/** Where lanes compute. */
export interface LanePlace {
  /** On the CPU by default. */
  readonly device?: Device;
  /** Cores of a lane at most. */
  readonly threads?: number | undefined;
}

/** Small models leave cores waiting for each other at the end of every operator; two share them well. */
const coresOfLane = 2;
const mostLanes = 4;
/** A training of the default size, with room to spare. */
const bytesOfLane = 2 * 2 ** 30;

/** As many as cores and memory allow. @param memory bytes that the process may take */
export function defaultLanes(memory: number = usualBudget()): number {
  const byMemory = Math.floor(memory / bytesOfLane);
  return Math.max(1, Math.min(mostLanes, byMemory, Math.floor(usableCores() / coresOfLane)));
}

/**
 * Works through tasks in their order, so many at a time, each lane with a compute thread of its own. What a lane throws
 * ends the others, and is thrown once all have stopped.
 */
export async function inLanes<Task>(
  tasks: readonly Task[],
  count: number,
  where: LanePlace,
  signal: AbortSignal | undefined,
  work: (task: Task, lane: Lane) => Promise<void>,
): Promise<void> {
  if (tasks.length === 0) return;
  const lanes = Math.max(1, Math.min(count, tasks.length));
  const waiting = tasks.values();
  const workThrough = async (lane: Lane) => {
    for (const task of waiting) {
      lane.signal?.throwIfAborted();
      await work(task, lane);
    }
  };
  const cores = Math.max(1, Math.floor(usableCores() / lanes));
  const threads = Math.min(cores, where.threads ?? cores);
  const device = where.device ?? 'cpu';
  const engines = Array.from({ length: lanes }, () => Engine.start({ threads, device }));
  const failed = new AbortController();
  const either = AbortSignal.any([failed.signal, ...(signal === undefined ? [] : [signal])]);
  const failures: unknown[] = [];
  await Promise.all(
    engines.map((own) =>
      workThrough({ engine: own, threads, signal: either }).catch((thrown: unknown) => {
        failures.push(thrown);
        failed.abort(thrown);
      }),
    ),
  );
  await Promise.all(engines.map((own) => own.close()));
  if (failures.length > 0) throw failures[0];
}

/** Progress of one of several works, told apart by a name before the stage. */
export function namedProgress(name: string, progress: Progress): Progress {
  return (event) =>
    progress(
      event.kind === 'note'
        ? { ...event, text: `${name}: ${event.text}` }
        : { ...event, stage: `${name}: ${event.stage}` },
    );
}
