import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildModel } from '../graph/onnx.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { joinedParts, PartOrder, separateParts } from './embedded-parts.ts';
import { lookupsOf } from './fields.ts';

let engine: Engine;
beforeAll(() => {
  engine = Engine.start({ threads: 1 });
});
afterAll(() => engine.close());

const layouts = fc.record({
  situationFields: fc.integer({ min: 1, max: 3 }),
  itemFields: fc.integer({ min: 1, max: 3 }),
  visualFields: fc.integer({ min: 0, max: 2 }),
  historyLength: fc.integer({ min: 1, max: 3 }),
});

it('lookups in the order of their parts embed as the parts that one joined input is cut into', async () => {
  await fc.assert(
    fc.asyncProperty(layouts, fc.integer({ min: 1, max: 4 }), async (layout, batch) => {
      const dimension = 2;
      const lookups = Int32Array.from({ length: batch * lookupsOf(layout) }, (_, place) => place);
      const embed = (rows: Int32Array) =>
        Float32Array.from({ length: dimension * rows.length }, (_, at) => {
          return 10 * rows[Math.floor(at / dimension)]! + (at % dimension);
        });
      const order = new PartOrder(layout);
      const separate = order.named(embed(order.order(lookups)));
      const parts = joinedParts(layout, batch, dimension);
      const session = await engine.load(buildModel({ outputs: parts }));
      const cut = await session.run({ embedded: embed(lookups) });
      await session.release();
      const inputs = Object.keys(separateParts(layout, batch, dimension)).map((name) => `embedded.${name}`);
      expect(Object.keys(separate)).toEqual(inputs);
      expect(Object.keys(cut).map((name) => `embedded.${name}`)).toEqual(inputs);
      for (const name of Object.keys(cut)) expect(separate[`embedded.${name}`]).toEqual(floats(cut, name));
    }),
    { numRuns: 20 },
  );
});
