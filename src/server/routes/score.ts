/** Click probabilities over HTTP. */
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Attention, Scored } from '../../serving/requests.ts';
import type { Context } from '../context.ts';
import { timeLeft } from '../deadline.ts';
import { routeOf } from '../routing.ts';
import type { scoreAnswer, scoreRequest } from '../schemas.ts';

type Request = z.output<typeof scoreRequest>;
type Answer = z.output<typeof scoreAnswer>;

export function addScore(app: FastifyInstance, { arms, config, userName }: Context): void {
  app.route<{ Body: Request; Reply: Answer }>({
    ...routeOf('score'),
    // To read and check a body costs more than to refuse it.
    async preParsing() {
      arms.admit();
    },
    async handler(request, reply) {
      const { numeric, ...asked } = request.body;
      const { user } = asked;
      const within = timeLeft(request, reply, config.deadline);
      const { service, arm, images } = arms.of(user, asked.time ?? Date.now());
      if (user !== undefined && user !== null) request.told = { user: userName(user) };
      const scored = await service.score({
        ...asked,
        ...(numeric === undefined ? {} : { numeric: withGaps(numeric) }),
        ...(images ? {} : { images }),
        within,
      });
      const { experiment } = arms;
      return {
        ...answerOf(scored),
        ...(experiment === null || arm === null ? {} : { experiment: experiment.name, arm }),
      };
    },
  });
}

/** What JSON calls null is NaN. */
function withGaps(columns: NonNullable<Request['numeric']>): Record<string, Float64Array> {
  const known = Object.entries(columns).map(([name, values]) => {
    return [name, Float64Array.from(values, (value) => value ?? Number.NaN)] as const;
  });
  return Object.fromEntries(known);
}

function answerOf({ scores, calibrated, known, time, attention }: Scored): Answer {
  return {
    scores: numbersOf(scores),
    calibrated: numbersOf(calibrated),
    known: flagsOf(known),
    time,
    ...(attention === null ? {} : { attention: attentionOf(attention, scores.length) }),
  };
}

function numbersOf(values: Float32Array): number[] {
  const numbers: number[] = [];
  for (let place = 0; place < values.length; place++) numbers.push(values[place]!);
  return numbers;
}

function flagsOf(values: Uint8Array): boolean[] {
  const flags: boolean[] = [];
  for (let place = 0; place < values.length; place++) flags.push(values[place] === 1);
  return flags;
}

function attentionOf({ history, weights }: Attention, count: number): NonNullable<Answer['attention']> {
  const width = history.length;
  const rows = Array.from({ length: count }, (_, row) =>
    numbersOf(weights.subarray(row * width, (row + 1) * width)),
  );
  return { history: [...history], weights: rows };
}
