/** Events on their way to counters that may know them only later. */
import { safePlace } from '../../progress.ts';
import type { EventKind } from './decayed-counts.ts';
import { bytesOf, doublesOf, integersOf, rowsBetweenPauses, type StateArrays } from './state-arrays.ts';

export interface CounterEvent {
  readonly kind: EventKind;
  /** Index into users. */
  readonly user: number;
  /** Index into the catalogue. */
  readonly item: number;
  /** When it happened: of a click, when it was clicked, which may be after its exposure. Milliseconds. */
  readonly time: number;
}

/** A queue in the order of time, of equal times in the order in which they came: a binary heap in typed memory. */
export class DelayedEvents {
  #length = 0;
  #came = 0;
  #time = new Float64Array(64);
  /** Which of all events it was. */
  #order = new Float64Array(64);
  #user = new Int32Array(64);
  #item = new Int32Array(64);
  #isClick = new Uint8Array(64);

  /** An event that is earlier than one already taken comes next: it is late, not lost. */
  add({ kind, user, item, time }: CounterEvent): void {
    if (this.#length === this.#time.length) this.#grow();
    let place = this.#length++;
    while (place > 0) {
      const above = (place - 1) >> 1;
      // A later one of the same time came later, too.
      if (this.#time[above]! <= time) break;
      this.#move(above, place);
      place = above;
    }
    this.#time[place] = time;
    this.#order[place] = this.#came++;
    this.#user[place] = user;
    this.#item[place] = item;
    this.#isClick[place] = kind === 'click' ? 1 : 0;
  }

  /** The events that wait, in the order in which they would be taken. */
  state(): StateArrays {
    const rows = Int32Array.from({ length: this.#length }, (_, row) => row);
    rows.sort((a, b) => this.#time[a]! - this.#time[b]! || this.#order[a]! - this.#order[b]!);
    return new Map<string, Float64Array | Int32Array | Uint8Array>([
      ['time', Float64Array.from(rows, (row) => this.#time[row]!)],
      ['user', rows.map((row) => this.#user[row]!)],
      ['item', rows.map((row) => this.#item[row]!)],
      ['clicked', Uint8Array.from(rows, (row) => this.#isClick[row]!)],
    ]);
  }

  /** Puts a state into an empty queue. @throws Error for one that cannot be */
  async restore(state: StateArrays): Promise<void> {
    const time = await doublesOf(state, 'time');
    const [user, item] = [integersOf(state, 'user'), integersOf(state, 'item')];
    const clicked = bytesOf(state, 'clicked');
    if ([user, item, clicked].some(({ length }) => length !== time.length))
      throw new Error('events that wait have columns of different lengths');
    for (let row = 0; row < time.length; row++) {
      if (row % rowsBetweenPauses === 0) await safePlace(undefined);
      const kind = clicked[row] === 1 ? 'click' : 'exposure';
      this.add({ kind, user: user[row]!, item: item[row]!, time: time[row]! });
    }
  }

  /** Hands over, and forgets, all that happened before a time. */
  take(before: number, use: (kind: EventKind, user: number, item: number, time: number) => void): void {
    while (this.#length > 0 && this.#time[0]! < before) {
      const [user, item, time] = [this.#user[0]!, this.#item[0]!, this.#time[0]!];
      const kind = this.#isClick[0] === 1 ? 'click' : 'exposure';
      this.#dropFirst();
      use(kind, user, item, time);
    }
  }

  #dropFirst(): void {
    const last = --this.#length;
    let place = 0;
    for (let below = 1; below < last; below = 2 * place + 1) {
      if (below + 1 < last && this.#isBefore(below + 1, below)) below++;
      if (!this.#isBefore(below, last)) break;
      this.#move(below, place);
      place = below;
    }
    if (last > 0) this.#move(last, place);
  }

  #isBefore(one: number, other: number): boolean {
    const difference = this.#time[one]! - this.#time[other]!;
    return difference < 0 || (difference === 0 && this.#order[one]! < this.#order[other]!);
  }

  #move(from: number, to: number): void {
    this.#time[to] = this.#time[from]!;
    this.#order[to] = this.#order[from]!;
    this.#user[to] = this.#user[from]!;
    this.#item[to] = this.#item[from]!;
    this.#isClick[to] = this.#isClick[from]!;
  }

  #grow(): void {
    const length = 2 * this.#time.length;
    const larger = <Values extends Float64Array | Int32Array | Uint8Array>(empty: Values, values: Values) => {
      empty.set(values);
      return empty;
    };
    this.#time = larger(new Float64Array(length), this.#time);
    this.#order = larger(new Float64Array(length), this.#order);
    this.#user = larger(new Int32Array(length), this.#user);
    this.#item = larger(new Int32Array(length), this.#item);
    this.#isClick = larger(new Uint8Array(length), this.#isClick);
  }
}
