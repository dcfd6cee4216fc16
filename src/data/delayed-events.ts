/** Events on their way to counters that may know them only later. */
import type { EventKind } from './decayed-counts.ts';

export interface CounterEvent {
  readonly kind: EventKind;
  /** Index into users. */
  readonly user: number;
  /** Index into the catalogue. */
  readonly item: number;
  /** When it happened: of a click, when it was clicked, which may be after its exposure. Milliseconds. */
  readonly time: number;
}

/** Consumed events that are kept until they are dropped together. */
const kept = 1024;

/** A queue in the order of time; each of its readers takes the events in its own time. */
export class DelayedEvents {
  #events: CounterEvent[] = [];
  /** How many events each reader has taken. */
  readonly #taken: number[];

  constructor(readers: number) {
    this.#taken = Array<number>(readers).fill(0);
  }

  /** An event that is earlier than one already taken comes next: it is late, not lost. */
  add(event: CounterEvent): void {
    const earliest = Math.max(...this.#taken);
    let place = this.#events.length;
    while (place > earliest && this.#events[place - 1]!.time > event.time) place--;
    this.#events.splice(place, 0, event);
  }

  /** Hands a reader all that happened before a time and it has not had. */
  take(reader: number, before: number, use: (event: CounterEvent) => void): void {
    let next = this.#taken[reader]!;
    for (; next < this.#events.length && this.#events[next]!.time < before; next++) use(this.#events[next]!);
    this.#taken[reader] = next;
    this.#drop(Math.min(...this.#taken));
  }

  #drop(count: number): void {
    if (count < kept || 2 * count < this.#events.length) return;
    this.#events = this.#events.slice(count);
    for (const reader of this.#taken.keys()) this.#taken[reader]! -= count;
  }
}
