import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hasMpi, mpirun, underMpi } from '../../test/support/mpi.ts';
import { tinyEncoders, tinyHead, trainTiny } from '../../test/support/tiny-step.ts';
import { Engine } from '../runtime/engine.ts';
import type { StepPlan } from './step-models.ts';

const program = fileURLToPath(new URL('../../test/support/shared-step-program.ts', import.meta.url));
const encoders = { vit: tinyEncoders[0]!, head: tinyHead(0) };

/** Of 11 photos: activations kept, by all cores together and by two shares, some without photos; then cut. */
const plans: readonly StepPlan[] = [
  { chunk: 2, group: 3 },
  { chunk: 1, group: 6, shares: 2 },
  { chunk: 4, group: 3, shares: 2 },
  { chunk: 2, group: 1 },
];

const saidSchema = z.object({
  trained: z.array(
    z.object({
      name: z.enum(['vit', 'head']),
      plan: z.object({ chunk: z.int(), group: z.int(), shares: z.int().optional() }),
      update: z.array(z.number()),
      losses: z.array(z.record(z.string(), z.number())),
    }),
  ),
  smallest: z.object({ chunk: z.int(), group: z.int(), shares: z.int() }),
});

describe.skipIf(!hasMpi)(`a step of several processes ${underMpi}`, () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start();
  });
  afterAll(() => engine.close());

  it.each([2, 3])(
    'makes the update of one graph, activations kept or not: %i processes',
    async (processes) => {
      // What each found that fits: the same photos in other chunks, and more of them.
      const found = [
        { chunk: 8, group: 4, shares: 2 },
        { chunk: 3, group: 11 },
        { chunk: 8, group: 9, shares: 3 },
      ];
      const ran = await mpirun(processes, [program, JSON.stringify({ plans, found })]);
      expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
      const { trained, smallest } = saidSchema.parse(JSON.parse(ran.stdout));
      expect(smallest).toEqual({ chunk: 3, group: 11, shares: 1 });
      expect(trained.length).toBe(2 * plans.length);
      for (const [name, encoder] of Object.entries(encoders)) {
        const whole = await trainTiny(engine, encoder, { chunk: 4, group: 3 });
        const longest = Math.max(...whole.update.map(Math.abs));
        for (const { plan, update, losses } of trained.filter((one) => one.name === name)) {
          const apart = Math.max(...update.map((value, index) => Math.abs(value - whole.update[index]!)));
          expect(apart / longest, `${name} ${JSON.stringify(plan)}`).toBeLessThan(1e-5);
          for (const [t, expected] of whole.losses.entries()) {
            expect(losses[t]).toMatchObject({ communicationMs: expect.any(Number) });
            for (const [loss, value] of Object.entries(expected))
              expect(losses[t]![loss], loss).toBeCloseTo(value, 4);
          }
        }
      }
    },
  );
});
