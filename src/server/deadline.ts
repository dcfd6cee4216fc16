/** How long somebody waits for an answer. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { deadlineHeader } from './endpoints.ts';
import { RequestProblem, tooLate } from './problems.ts';

/**
 * Milliseconds that are left of what the request's header says, or of the usual.
 * @throws RequestProblem VALUE_INVALID for a header that is no number; DEADLINE_EXCEEDED where none are left
 */
export function timeLeft({ headers }: FastifyRequest, reply: FastifyReply, usual: number): number {
  const said = headers[deadlineHeader];
  const whole = said === undefined ? usual : Number(said);
  if (typeof said === 'object' || said === '' || !(whole > 0 && whole <= 86_400_000))
    throw new RequestProblem(
      'VALUE_INVALID',
      `The header ${deadlineHeader} is no number of milliseconds.`,
      'Send a number such as 50, or leave it out.',
    );
  const left = whole - reply.elapsedTime;
  if (left <= 0) throw tooLate();
  return left;
}

/** What some work comes to, if it is there in time: it goes on otherwise, and nobody hears of it. */
export async function withinTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate()), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
