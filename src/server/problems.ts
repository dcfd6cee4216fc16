/** Everything that is not answered, in one shape: what leaves the server, and with which status. */
import type { FastifyError } from 'fastify';
import { CourierError, type ErrorCode } from '../errors.ts';
import { OverloadedError } from '../serving/score-queue.ts';
import type { Problem, ProblemCode } from './schemas.ts';

export const statusOf: Readonly<Record<ProblemCode, number>> = {
  VALUE_INVALID: 400,
  KEY_MISSING: 401,
  SCOPE_MISSING: 403,
  HOST_REFUSED: 403,
  NOT_FOUND: 404,
  ITEM_UNKNOWN: 404,
  LIMIT_EXCEEDED: 413,
  CONTENT_TYPE_UNKNOWN: 415,
  PHOTO_UNREACHABLE: 422,
  EXPORT_REFUSED: 422,
  RATE_LIMITED: 429,
  OVERLOADED: 503,
  STOPPING: 503,
  STATE_UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
  INTERNAL: 500,
};

/** A request that is not answered, in words that may leave the server. */
export class RequestProblem extends Error {
  readonly code: ProblemCode;
  readonly remedy: string;
  /** Milliseconds after which the same may be asked again; null where that is not known to help. */
  readonly retryAfter: number | null;

  constructor(
    code: ProblemCode,
    message: string,
    remedy: string,
    { retryAfter = null, cause }: { readonly retryAfter?: number | null; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.name = 'RequestProblem';
    this.code = code;
    this.remedy = remedy;
    this.retryAfter = retryAfter;
  }
}

/** Errors of the service whose words are about the request alone. */
const tellable: Partial<Readonly<Record<ErrorCode, ProblemCode>>> = {
  VALUE_INVALID: 'VALUE_INVALID',
  ITEM_UNKNOWN: 'ITEM_UNKNOWN',
  LIMIT_EXCEEDED: 'LIMIT_EXCEEDED',
  OVERLOADED: 'OVERLOADED',
  DEADLINE_EXCEEDED: 'DEADLINE_EXCEEDED',
};

/** Seconds after which to ask again where nobody knows. */
const usualRetry = 1000;

/** What is said of anything that was thrown. What names files or tells of the inside becomes INTERNAL, and stays in the log. */
export function problemOf(thrown: unknown): RequestProblem {
  if (thrown instanceof RequestProblem) return thrown;
  if (thrown instanceof CourierError) return ofService(thrown);
  return ofFramework(thrown) ?? internal(thrown);
}

function ofService(error: CourierError): RequestProblem {
  const { message, remedy, code } = error;
  if (code === 'STATE_UNAVAILABLE')
    return new RequestProblem(code, 'The database that this needs does not answer.', 'Send the same again.', {
      retryAfter: usualRetry,
      cause: error,
    });
  if (code === 'INTERRUPTED') return stopping();
  const told = tellable[code];
  if (told === undefined) return internal(error);
  const retryAfter = error instanceof OverloadedError ? error.retryAfter : null;
  return new RequestProblem(told, message, remedy, { retryAfter });
}

function isFrameworkError(thrown: unknown): thrown is FastifyError {
  return thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('FST_');
}

function ofFramework(thrown: unknown): RequestProblem | null {
  if (!isFrameworkError(thrown)) return null;
  const { code, statusCode = 500 } = thrown;
  if (statusCode >= 500) return null;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new RequestProblem('LIMIT_EXCEEDED', 'The body is too large.', 'Send less in one request.');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new RequestProblem(
      'CONTENT_TYPE_UNKNOWN',
      'The body is of a type that is not taken here.',
      'Send application/json; a photo to /v1/embed and /v1/similar may be sent as image/jpeg and the like.',
    );
  return new RequestProblem('VALUE_INVALID', `${thrown.message}.`, 'See /docs for what is taken.');
}

export function stopping(): RequestProblem {
  return new RequestProblem('STOPPING', 'The server is stopping.', 'Ask another replica.', {
    retryAfter: usualRetry,
  });
}

export function overloaded(what: string): RequestProblem {
  return new RequestProblem('OVERLOADED', what, 'Ask again in a moment, or run more replicas.', {
    retryAfter: usualRetry,
  });
}

export function tooLate(): RequestProblem {
  return new RequestProblem(
    'DEADLINE_EXCEEDED',
    'The answer was not there in time.',
    'Allow more time, or run more replicas.',
  );
}

function internal(cause: unknown): RequestProblem {
  return new RequestProblem('INTERNAL', 'Something went wrong here.', 'Tell the operator this id.', {
    cause,
  });
}

export function answerOf({ code, message, remedy }: RequestProblem, id: string): { error: Problem } {
  return { error: { code, message: message.slice(0, 1000), remedy, id } };
}
