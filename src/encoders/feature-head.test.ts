import { afterAll, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { exportUntrainedEncoder } from './export.ts';
import { featureHead } from './feature-head.ts';

const engine = Engine.start();
afterAll(() => engine.close());

it.each([3, 8])(
  'a head that has learned nothing gives the leading %i components, of unit length',
  async (dimension) => {
    const components = 6;
    const random = Random.seeded(1, 'features');
    const features = Float32Array.from({ length: 4 * components }, () => random.normal());
    const head = featureHead({ components, hidden: 16, dimension });
    const session = await engine.load(exportUntrainedEncoder(head, Random.seeded(1, 'parameters')));
    const found = floats(await session.run({ photos: features }), 'embeddings');
    expect(found).toHaveLength(4 * dimension);
    for (let row = 0; row < 4; row++) {
      const own = [...features.subarray(row * components, (row + 1) * components)].slice(0, dimension);
      const length = Math.hypot(...own);
      for (let place = 0; place < dimension; place++)
        expect(found[row * dimension + place]).toBeCloseTo((own[place] ?? 0) / length, 5);
    }
  },
);
