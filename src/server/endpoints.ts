/** Every way to ask a server: routes, OpenAPI and the client are made of this table. */
import type { z } from 'zod';
import {
  embedAnswer,
  embedRequest,
  eventsAnswer,
  eventsRequest,
  exportsAnswer,
  exportsRequest,
  healthAnswer,
  itemParams,
  putItemRequest,
  scoreAnswer,
  scoreRequest,
  similarAnswer,
  similarQuery,
  similarRequest,
} from './schemas.ts';

/** What a key may be good for. */
export const scopes = ['read', 'write', 'admin'] as const;
export type Scope = (typeof scopes)[number];

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `:name` for a parameter. */
  readonly path: string;
  /** null where no key is asked for. */
  readonly scope: Scope | null;
  readonly summary: string;
  readonly params: z.ZodType | null;
  readonly query: z.ZodType | null;
  readonly body: z.ZodType | null;
  /** Whether the body may be a photo itself. */
  readonly takesPhoto: boolean;
  /** null where nothing is answered but that it is done. */
  readonly answer: z.ZodType | null;
}

const none = { params: null, query: null, body: null, takesPhoto: false, answer: null } as const;

export const endpoints = {
  score: {
    ...none,
    ...{ method: 'POST', path: '/v1/score', scope: 'read' },
    summary: 'Click probabilities of the candidates of a page view',
    body: scoreRequest,
    answer: scoreAnswer,
  },
  embed: {
    ...none,
    ...{ method: 'POST', path: '/v1/embed', scope: 'read', takesPhoto: true },
    summary: 'The embedding of a photo or of an item',
    body: embedRequest,
    answer: embedAnswer,
  },
  similarTo: {
    ...none,
    ...{ method: 'GET', path: '/v1/similar/:item', scope: 'read' },
    summary: 'Items that look most like an item',
    params: itemParams,
    query: similarQuery,
    answer: similarAnswer,
  },
  similar: {
    ...none,
    ...{ method: 'POST', path: '/v1/similar', scope: 'read', takesPhoto: true },
    summary: 'Items that look most like a photo',
    query: similarQuery,
    body: similarRequest,
    answer: similarAnswer,
  },
  record: {
    ...none,
    ...{ method: 'POST', path: '/v1/events', scope: 'write' },
    summary: 'Takes note of exposures, clicks and orders, each once by its id',
    body: eventsRequest,
    answer: eventsAnswer,
  },
  putItem: {
    ...none,
    ...{ method: 'PUT', path: '/v1/items/:item', scope: 'write' },
    summary: 'Puts an item into the catalogue, or in place of what there is under its id',
    params: itemParams,
    body: putItemRequest,
  },
  deleteItem: {
    ...none,
    ...{ method: 'DELETE', path: '/v1/items/:item', scope: 'write' },
    summary: 'Takes an item out of the catalogue',
    params: itemParams,
  },
  openExport: {
    ...none,
    ...{ method: 'POST', path: '/v1/exports', scope: 'admin' },
    summary: 'Answers with another export, once it is checked',
    body: exportsRequest,
    answer: exportsAnswer,
  },
  health: {
    ...none,
    ...{ method: 'GET', path: '/healthz', scope: null },
    summary: 'Whether the process lives',
    answer: healthAnswer,
  },
  ready: {
    ...none,
    ...{ method: 'GET', path: '/readyz', scope: null },
    summary: 'Whether to send requests here',
    answer: healthAnswer,
  },
} as const satisfies Record<string, Endpoint>;

/** Header with the milliseconds after which nobody waits for an answer. */
export const deadlineHeader = 'x-deadline-ms';
