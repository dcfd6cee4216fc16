/** Events without end, by their number, of users and items that an export knows: what services under load are told. */
import type { ShopEvent } from '../../src/serving/events.ts';

export interface EventStream {
  readonly users: readonly string[];
  readonly items: readonly string[];
  /** When the first happened, milliseconds. */
  readonly from: number;
}

/** A minute apart, each third of them a click. */
export function eventAt({ users, items, from }: EventStream, number: number): ShopEvent {
  return {
    id: `event ${number}`,
    kind: number % 3 === 0 ? 'click' : 'exposure',
    user: users[(7 * number) % users.length] ?? '',
    item: items[(13 * number + (number >> 4)) % items.length] ?? '',
    time: from + 60_000 * number,
  };
}
