/** What a service is told and asked while it is killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { CourierError } from '../src/errors.ts';
import type { ShopEvent } from '../src/serving/events.ts';
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

/** Who is told of events and asked for scores. */
export interface Told {
  /** @returns whether the event is acknowledged; otherwise it is sent again */
  record(event: ShopEvent): Promise<boolean>;
  /** Asks for scores. @param number of the event that is sent next */
  ask(number: number): Promise<void>;
}

/** A service in this process, asked for page views of the moment up to which the stream has come. */
export function told(service: Service, stream: EventStream): Told {
  return {
    async record(event) {
      try {
        await service.record([event]);
        return true;
      } catch (error) {
        if (error instanceof CourierError && error.code === 'STATE_UNAVAILABLE') return false;
        throw error;
      }
    },
    async ask(number) {
      const { user, time } = eventAt(stream, number);
      await service.score({ user, time, candidates: stream.items.slice(number % 50, (number % 50) + 8) });
    },
  };
}

/**
 * Records events of the stream, one a call and several at a time, and asks for scores meanwhile. An event that cannot be recorded is sent
 * again until it can.
 * @param acknowledged told of each event that is; whether to go on
 */
export async function writers(
  { record, ask }: Told,
  stream: EventStream,
  first: number,
  acknowledged: (number: number) => Promise<boolean>,
): Promise<void> {
  let [next, isOver] = [first, false];
  const recorder = async () => {
    while (!isOver) {
      const number = next++;
      while (!(await record(eventAt(stream, number)))) await sleep(5);
      if (!(await acknowledged(number))) isOver = true;
    }
  };
  const asker = async () => {
    while (!isOver) {
      await ask(next);
      await sleep(1);
    }
  };
  await Promise.all([
    ...Array.from({ length: recorders }, recorder),
    ...Array.from({ length: askers }, asker),
  ]);
}
