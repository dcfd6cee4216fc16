/** A server that is told of events and asked for page views while it is disturbed, and what it answers looked at. */
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CourierClient, ServerError } from '../src/server/client.ts';
import type { ShopEvent } from '../src/serving/events.ts';
import type { ScoreRequest } from '../src/serving/requests.ts';
import { largestDifference } from '../test/support/served-shop.ts';
import type { Told } from './serve-kill-load.ts';
import { type References, tolerance } from './serve-references.ts';

export class AskedServer implements Told {
  readonly #client: CourierClient;
  readonly #references: References;
  /** The only export that may answer, the first to begin with; null while it may be either. */
  #only: number | null = 0;
  readonly counts = { answered: 0, wrong: 0, refused: 0, largest: 0 };

  constructor(client: CourierClient, references: References) {
    this.#client = client;
    this.#references = references;
  }

  /** Swaps the server's export for another one, from which on nothing else may answer. @param place of it in the references */
  async open(place: number): Promise<void> {
    const folder = this.#references.exports[place]!.folder;
    this.#only = null;
    while ((await this.#whenThere(() => this.#client.openExport({ export: basename(folder) }))) === null);
    this.#only = place;
  }

  record = async (event: ShopEvent): Promise<boolean> => {
    return (await this.#whenThere(() => this.#client.record([event]))) !== null;
  };

  ask = async (number: number): Promise<void> => {
    const place = number % this.#references.requests.length;
    const request = this.#references.requests[place]!;
    const expected = this.#only;
    const found = await this.#whenThere(() => this.#client.score(sent(request), { deadline: 60_000 }));
    if (found === null) {
      this.counts.refused += 1;
      return;
    }
    const scores = Float32Array.from(found.scores);
    // One that was under way while an export was opened may be answered by either.
    const isCertain = expected !== null && expected === this.#only;
    const differences = this.#references.exports
      .filter((_, each) => !isCertain || each === expected)
      .map((each) => largestDifference(scores, each.scores[place]!));
    const difference = Math.min(...differences);
    this.counts.answered += 1;
    this.counts.largest = Math.max(this.counts.largest, difference);
    if (!(difference <= tolerance) || found.time !== request.time) this.counts.wrong += 1;
  };

  /** @returns null where the server or its store is away @throws whatever else is not answered */
  async #whenThere<T>(call: () => Promise<T>): Promise<T | null> {
    try {
      return await call();
    } catch (error) {
      const isAway =
        error instanceof ServerError ? error.status === 503 && error.retryAfter !== null : isCut(error);
      if (!isAway) throw error;
      await sleep(20);
      return null;
    }
  }
}

/** What `fetch` throws for a connection that is refused, or that ends before the answer. */
function isCut(error: unknown): boolean {
  return error instanceof TypeError;
}

/** JSON has no NaN. */
function sent({ numeric = {}, history, candidates, user, time, context }: ScoreRequest) {
  const columns = Object.entries(numeric).map(([name, values]) => {
    return [name, Array.from(values, (value) => (Number.isNaN(value) ? null : value))] as const;
  });
  return {
    ...{ user, time, context, candidates: [...candidates], numeric: Object.fromEntries(columns) },
    ...(history === undefined ? {} : { history: [...history] }),
  };
}
