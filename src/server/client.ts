/** Asks a server, with the types of its own schemas. It needs nothing but `fetch`. */
import type { z } from 'zod';
import { deadlineHeader, type Endpoint, endpoints } from './endpoints.ts';
import {
  embedAnswer,
  type embedRequest,
  eventsAnswer,
  type eventsRequest,
  exportsAnswer,
  type exportsRequest,
  healthAnswer,
  type ProblemCode,
  problemAnswer,
  type putItemRequest,
  scoreAnswer,
  type scoreRequest,
  similarAnswer,
  type similarRequest,
} from './schemas.ts';

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** As `courier key create` printed it; needed where the server asks for one. */
  readonly key?: string;
}

export interface CallOptions {
  /** Milliseconds after which nobody waits for the answer: the server is told, and does not compute it for nobody. */
  readonly deadline?: number;
  readonly signal?: AbortSignal;
}

/** What the server did not answer, in its words. */
export class ServerError extends Error {
  readonly status: number;
  readonly code: ProblemCode;
  readonly remedy: string;
  /** By which the server's log knows more. */
  readonly id: string;
  /** Milliseconds after which the same may be asked again; null where that is not known to help. */
  readonly retryAfter: number | null;

  constructor(status: number, problem: z.output<typeof problemAnswer>['error'], retryAfter: number | null) {
    super(problem.message);
    this.name = 'ServerError';
    this.status = status;
    this.code = problem.code;
    this.remedy = problem.remedy;
    this.id = problem.id;
    this.retryAfter = retryAfter;
  }
}

interface Sent {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, number | undefined>>;
  readonly body?: unknown;
}

/** All methods throw a `ServerError` for what is not answered. */
export class CourierClient {
  readonly #url: string;
  readonly #key: string | null;

  constructor({ url, key }: ClientOptions) {
    this.#url = url.replace(/\/$/, '');
    this.#key = key ?? null;
  }

  /** Click probabilities of the candidates of a page view. */
  score(request: z.input<typeof scoreRequest>, options?: CallOptions): Promise<z.output<typeof scoreAnswer>> {
    return this.#ask(endpoints.score, scoreAnswer, { body: request }, options);
  }

  /** The embedding of a photo (its bytes, or its address), or of an item. (d) */
  async embed(
    of: Uint8Array | z.input<typeof embedRequest>,
    options?: CallOptions,
  ): Promise<readonly number[]> {
    return (await this.#ask(endpoints.embed, embedAnswer, { body: of }, options)).embedding;
  }

  /** Items that look most like an item, a photo, or an embedding, most alike first. */
  similar(
    to: Uint8Array | { readonly item: string } | z.input<typeof similarRequest>,
    { most, ...options }: CallOptions & { readonly most?: number } = {},
  ): Promise<z.output<typeof similarAnswer>> {
    const query = { most };
    if ('item' in to)
      return this.#ask(endpoints.similarTo, similarAnswer, { params: { item: to.item }, query }, options);
    return this.#ask(endpoints.similar, similarAnswer, { query, body: to }, options);
  }

  /** Takes note of exposures, clicks and orders: resolves when they are on the disk, each once by its id. */
  record(
    events: z.input<typeof eventsRequest>['events'],
    options?: CallOptions,
  ): Promise<z.output<typeof eventsAnswer>> {
    return this.#ask(endpoints.record, eventsAnswer, { body: { events } }, options);
  }

  /** Puts an item into the catalogue, or in place of what there is under its id. */
  async putItem(item: string, what: z.input<typeof putItemRequest>, options?: CallOptions): Promise<void> {
    await this.#fetch(endpoints.putItem, { params: { item }, body: what }, options);
  }

  async deleteItem(item: string, options?: CallOptions): Promise<void> {
    await this.#fetch(endpoints.deleteItem, { params: { item } }, options);
  }

  /** Answers with another export from then on. What there is stays if anything is wrong with it. */
  openExport(
    request: z.input<typeof exportsRequest>,
    options?: CallOptions,
  ): Promise<z.output<typeof exportsAnswer>> {
    return this.#ask(endpoints.openExport, exportsAnswer, { body: request }, options);
  }

  health(options?: CallOptions): Promise<z.output<typeof healthAnswer>> {
    return this.#ask(endpoints.health, healthAnswer, {}, options);
  }

  /** Whether requests should be sent there. */
  ready(options?: CallOptions): Promise<z.output<typeof healthAnswer>> {
    return this.#ask(endpoints.ready, healthAnswer, {}, options);
  }

  async #ask<Answer extends z.ZodType>(
    endpoint: Endpoint,
    answer: Answer,
    sent: Sent,
    options: CallOptions | undefined,
  ): Promise<z.output<Answer>> {
    const response = await this.#fetch(endpoint, sent, options);
    return answer.parse(await response.json());
  }

  async #fetch(
    { method, path }: Endpoint,
    { params = {}, query = {}, body }: Sent,
    { deadline, signal }: CallOptions = {},
  ): Promise<Response> {
    const url = new URL(
      this.#url + path.replaceAll(/:(\w+)/g, (_, name) => encodeURIComponent(params[name] ?? '')),
    );
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, `${value}`);
    const headers = new Headers();
    if (this.#key !== null) headers.set('authorization', `Bearer ${this.#key}`);
    if (deadline !== undefined) headers.set(deadlineHeader, `${deadline}`);
    const isPhoto = body instanceof Uint8Array;
    // The server tells by the bytes which format it is.
    if (body !== undefined) headers.set('content-type', isPhoto ? 'image/jpeg' : 'application/json');
    const response = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: isPhoto ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (response.ok) return response;
    throw await errorOf(response);
  }
}

async function errorOf(response: Response): Promise<Error> {
  const { status, headers } = response;
  const text = await response.text();
  const known = problemAnswer.safeParse(jsonOf(text));
  if (!known.success) return new Error(`The server answers ${status}: ${text.slice(0, 200)}`);
  const seconds = headers.get('retry-after');
  return new ServerError(status, known.data.error, seconds === null ? null : 1000 * Number(seconds));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
