/** What a service is told and asked while it is killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { CourierError } from '../src/errors.ts';
import type { Service } from '../src/serving/requests.ts';
import { type EventStream, eventAt } from '../test/support/event-stream.ts';

const load = z.strictObject({
  served: z.string(),
  state: z.string(),
  stream: z.strictObject({
    users: z.array(z.string()).readonly(),
    items: z.array(z.string()).readonly(),
    from: z.number(),
  }),
  /** The first event to be sent. */
  first: z.int(),
});

export type Load = z.output<typeof load>;

export function loadOf(value: unknown): Load {
  return load.parse(value);
}

/** Calls side by side. */
const [recorders, askers] = [8, 2];

/**
 * Records events of the stream, one a call and several at a time, and asks for scores meanwhile. An event that cannot be recorded is sent
 * again until it can.
 * @param acknowledged told of each event that is; whether to go on
 */
export async function writers(
  service: Service,
  stream: EventStream,
  first: number,
  acknowledged: (number: number) => Promise<boolean>,
): Promise<void> {
  let [next, isOver] = [first, false];
  const record = async () => {
    while (!isOver) {
      const number = next++;
      while (!(await isRecorded(service, stream, number))) await sleep(5);
      if (!(await acknowledged(number))) isOver = true;
    }
  };
  const ask = async () => {
    while (!isOver) {
      const { user, time } = eventAt(stream, next);
      await service.score({ user, time, candidates: stream.items.slice(next % 50, (next % 50) + 8) });
      await sleep(1);
    }
  };
  await Promise.all([...Array.from({ length: recorders }, record), ...Array.from({ length: askers }, ask)]);
}

async function isRecorded(service: Service, stream: EventStream, number: number): Promise<boolean> {
  try {
    await service.record([eventAt(stream, number)]);
    return true;
  } catch (error) {
    if (error instanceof CourierError && error.code === 'STATE_UNAVAILABLE') return false;
    throw error;
  }
}
