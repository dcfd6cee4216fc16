/** The HTTP server with its hooks: who may ask, how much, what is logged, and what an error looks like. */

import { randomUUID } from 'node:crypto';
import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import helmet from 'helmet';
import { version } from '../version.ts';
import { isLoopback, rateLimitOf } from './config.ts';
import type { Context } from './context.ts';
import { answerOf, problemOf, RequestProblem, statusOf, stopping } from './problems.ts';
import { addLog } from './routes/log.ts';
import { addOperations } from './routes/operations.ts';
import { addPhotos } from './routes/photos.ts';
import { addScore } from './routes/score.ts';
import { addValidation, bodyLimits, invalidRequest } from './routing.ts';

/** Milliseconds for a whole request to arrive. */
const requestTimeout = 30_000;

/** Characters of a parameter in an address: an id of 1,000, each of which may be written as nine. */
const maxParamLength = 9000;

/**
 * Columns are written by `JSON.stringify`: joined number by number, each number's text stays in a cache of V8 for as long as it takes
 * until all of its memory is looked through.
 */
const columnsAtOnce = { largeArraySize: 1, largeArrayMechanism: 'json-stringify' } as const;

/** A server that does not listen yet. */
export async function createApp(context: Context): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: context.log,
    // A line for each request is `addGuards`'.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'id' }),
    genReqId: () => randomUUID(),
    bodyLimit: bodyLimits.other,
    requestTimeout,
    // Said in the one shape of problems, by `addGuards`.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength },
    serializerOpts: columnsAtOnce,
    frameworkErrors: (error, request, reply) => sendProblem(context, error, request, reply),
    clientErrorHandler: refuseUnreadable,
  });
  app.removeContentTypeParser('text/plain');
  addValidation(app);
  app.setErrorHandler((error, request, reply) => sendProblem(context, error, request, reply));
  app.decorateRequest('caller', null);
  app.decorateRequest('told', null);
  addGuards(app, context);
  addHeaders(app);
  await addRateLimit(app, context);
  app.setNotFoundHandler(() => {
    throw new RequestProblem('NOT_FOUND', 'There is nothing here.', 'See /docs for what there is.');
  });
  await addDocs(app, context);
  addScore(app, context);
  addLog(app, context);
  addOperations(app, context);
  await app.register(async (scope) => addPhotos(scope, context));
  return app;
}

/** Headers that browsers heed. */
function addHeaders(app: FastifyInstance): void {
  const headers = protectingHeaders();
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}

/** Made once: they are the same for all. */
function protectingHeaders(): OutgoingHttpHeaders {
  const protect = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
  });
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  protect(request, response, (error) => {
    if (error !== undefined) throw error;
  });
  return response.getHeaders();
}

function addGuards(app: FastifyInstance, context: Context): void {
  const { keys, bodies, config, metrics } = context;
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    request.caller = keys?.find(request.headers.authorization) ?? null;
    done(context.phase === 'closed' ? stopping() : undefined);
  });
  // After the limit of requests, which who has no key must not get around, and before the body is read.
  app.addHook('preParsing', async (request, reply) => {
    requireScope(request, keys !== null);
    if (keys === null) requireOwnHost(request, config.host);
    bodies.admit(request, reply);
  });
  // A connection that stays open would keep a server that stops.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (context.phase !== 'ready') reply.header('connection', 'close');
    done(null, payload);
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions, caller, told } = request;
    const route = routeOptions.url ?? 'unknown';
    const { statusCode: status, elapsedTime } = reply;
    metrics.answered(method, route, status, elapsedTime / 1000);
    const milliseconds = Math.round(elapsedTime * 100) / 100;
    request.log.info({ method, route, status, milliseconds, key: caller?.name, ...told }, 'request');
    done();
  });
}

/** @throws RequestProblem KEY_MISSING, SCOPE_MISSING */
function requireScope({ caller, routeOptions }: FastifyRequest, needsKey: boolean): void {
  const { scope = null } = routeOptions.config;
  if (!needsKey || scope === null) return;
  if (caller === null)
    throw new RequestProblem(
      'KEY_MISSING',
      'This needs a key, and none that is known came.',
      'Send the header Authorization: Bearer KEY.',
    );
  if (!caller.scopes.includes(scope))
    throw new RequestProblem(
      'SCOPE_MISSING',
      `The key ${caller.name} is not for what needs the scope ${scope}.`,
      'Use another key, or have one made with this scope.',
    );
}

/**
 * Without keys the address is all that keeps others out: a page in a browser of this machine may call it by a name of its own.
 * @throws RequestProblem HOST_REFUSED
 */
function requireOwnHost({ hostname }: FastifyRequest, host: string): void {
  const plain = hostname.replace(/^\[(.*)\]$/, '$1');
  if (plain === host || isLoopback(plain)) return;
  throw new RequestProblem(
    'HOST_REFUSED',
    'This server is asked by its address alone.',
    'Ask http://127.0.0.1, or start it with keys.',
  );
}

async function addRateLimit(app: FastifyInstance, { config }: Context): Promise<void> {
  const max = rateLimitOf(config);
  if (max === null) return;
  await app.register(rateLimit, {
    max,
    timeWindow: 60_000,
    keyGenerator: ({ caller, ip }) => (caller === null ? `address ${ip}` : `key ${caller.name}`),
    errorResponseBuilder: (_request, { ttl }) =>
      new RequestProblem(
        'RATE_LIMITED',
        `More than ${max} requests came in a minute.`,
        'Ask again after the time in the header Retry-After.',
        { retryAfter: ttl },
      ),
  });
}

/** The page loads nothing from elsewhere, and asks nobody but this server. */
const docsPolicy =
  "default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

async function addDocs(app: FastifyInstance, { keys }: Context): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'courier',
        version,
        description:
          'Click probabilities, embeddings and neighbours of items, from a log of clicks and photos.',
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: keys === null ? [] : [{ key: [] }],
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: docsPolicy });
}

/** What is no request that a route could see, in the same shape as everything else that is not answered. */
function refuseUnreadable({ code }: { readonly code: string }, socket: Socket): void {
  if (!socket.writable) return;
  const problem =
    code === 'HPE_HEADER_OVERFLOW'
      ? new RequestProblem('LIMIT_EXCEEDED', 'The headers are too large.', 'Send shorter ones.')
      : new RequestProblem('VALUE_INVALID', 'This is no whole HTTP request.', 'Send HTTP/1.1.');
  const [id, status] = [randomUUID(), statusOf[problem.code]];
  const body = JSON.stringify(answerOf(problem, id));
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-request-id': id,
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
}

function sendProblem(
  { metrics }: Pick<Context, 'metrics'>,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const refused = error instanceof Error && 'validation' in error && error.validation !== undefined;
  const problem = refused ? invalidRequest(request, error.message) : problemOf(error);
  const { code, retryAfter, cause } = problem;
  metrics.refused(code);
  if (code === 'INTERNAL') request.log.error({ err: cause }, 'a request failed');
  if (retryAfter !== null) reply.header('retry-after', Math.max(1, Math.ceil(retryAfter / 1000)));
  if (code === 'KEY_MISSING') reply.header('www-authenticate', 'Bearer');
  // No hook has run for an address that cannot be read.
  reply.header('x-request-id', request.id);
  reply.code(statusOf[code]).type('application/json').send(answerOf(problem, request.id));
}
