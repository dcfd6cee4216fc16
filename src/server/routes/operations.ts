/** What operators ask: another export, health, metrics. */
import { realpath } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { messageOf } from '../../errors.ts';
import { exists, liesBelow, pathBelow } from '../../storage/files.ts';
import type { Context } from '../context.ts';
import { RequestProblem, stopping } from '../problems.ts';
import { routeOf } from '../routing.ts';
import type { exportsAnswer, exportsRequest, healthAnswer } from '../schemas.ts';

type Health = z.output<typeof healthAnswer>;

export function addOperations(app: FastifyInstance, context: Context): void {
  const { arms, config, log, metrics } = context;

  app.route<{ Body: z.output<typeof exportsRequest>; Reply: z.output<typeof exportsAnswer> }>({
    ...routeOf('openExport'),
    async handler({ body, id }) {
      const replaced = arms.withOwnExport(body.arm);
      if (replaced === undefined)
        throw new RequestProblem(
          'VALUE_INVALID',
          `There is no arm ${body.arm} with an export of its own.`,
          'Leave the arm out, or name one whose definition has `serves.export`.',
        );
      const folder = await exportFolder(config.exports, body.export);
      try {
        await replaced.service.swap(folder);
      } catch (cause) {
        log.error({ id, export: body.export, reason: messageOf(cause) }, 'export refused');
        throw new RequestProblem(
          'EXPORT_REFUSED',
          `The export ${body.export} was not opened: what there was goes on answering.`,
          'The log of the server says under this id what is wrong with it.',
          { cause },
        );
      }
      const { export: opened, items } = replaced.service.statistics();
      log.info({ id, export: body.export, arm: replaced.arm }, 'export opened');
      const { ranker, features, until } = opened;
      return { export: body.export, ranker, features, items, until };
    },
  });

  app.route<{ Reply: Health }>({ ...routeOf('health'), handler: async () => ({ status: 'ok' }) });

  app.route<{ Reply: Health }>({
    ...routeOf('ready'),
    async handler() {
      if (context.phase !== 'ready') throw stopping();
      return { status: 'ok' };
    },
  });

  app.get('/metrics', {
    config: { scope: 'read' },
    schema: { hide: true },
    async handler(_request, reply) {
      return reply.type(metrics.contentType).send(await metrics.text());
    },
  });
}

/** @throws RequestProblem VALUE_INVALID for what is not below the root */
async function exportFolder(root: string | undefined, name: string): Promise<string> {
  const path = root === undefined ? undefined : pathBelow(root, name);
  const isThere = path !== undefined && (await exists(path));
  if (root === undefined || !isThere || !(await liesBelow(root, path)))
    throw new RequestProblem(
      'VALUE_INVALID',
      `There is no export ${name}.`,
      'Name a folder below the one that the server was started with as --exports.',
    );
  return realpath(path);
}
