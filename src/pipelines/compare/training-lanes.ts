/** Several trainings of encoders at a time, where the machine allows. */
import { defaultLanes, inLanes, type Lane } from '../../runs/lanes.ts';
import { chooseDevice } from '../../runtime/devices.ts';
import { usualBudget } from '../../runtime/memory.ts';
import type { CompareConfig } from './config.ts';

/** A lane of trainings. */
export interface TrainingLane extends Lane {
  /** Bytes that a training may take, where others train beside it; null where it is alone. */
  readonly room: number | null;
}

/** As `inLanes`, each with its share of the memory that training may take. */
export async function inTrainingLanes<Task>(
  tasks: readonly Task[],
  { pretrain, parallel }: Pick<CompareConfig, 'pretrain' | 'parallel'>,
  signal: AbortSignal | undefined,
  work: (task: Task, lane: TrainingLane) => Promise<void>,
): Promise<void> {
  const { device, threads, memory } = pretrain;
  const budget = memory ?? usualBudget();
  // A GPU's memory is not counted here, and one training fills it.
  const most = device === 'cpu' ? defaultLanes(budget) : 1;
  const lanes = Math.min(parallel ?? most, tasks.length);
  const room = lanes > 1 ? Math.max(0, budget - process.memoryUsage.rss()) / lanes : null;
  const where = { device: await chooseDevice(device), threads };
  await inLanes(tasks, lanes, where, signal, (task, lane) => work(task, { ...lane, room }));
}
