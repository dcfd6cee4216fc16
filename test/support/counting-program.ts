/** One of several processes that count together, the first with one thread and the others with two; the first says what came out. */
import { doErrands, endErrands } from '../../src/collectives/errands.ts';
import { processGroup } from '../../src/collectives/world.ts';
import { BaseFeatures } from '../../src/data/counters/base-features.ts';
import { countingErrand } from '../../src/data/counters/shares/counting-together.ts';
import { countedLog, countedParts } from './counted-log.ts';

const group = await processGroup();
if (group.rank > 0) {
  await doErrands(group, [{ ...countingErrand, run: (others) => countingErrand.run(others, 2) }]);
} else {
  const features = new BaseFeatures({ ...countedLog(), numeric: [] }, { group, threads: 1 });
  const columns: number[][] = features.names.map(() => []);
  for await (const part of features.columnsOf(countedParts))
    for (const [column, values] of part.entries()) columns[column]!.push(...values);
  await endErrands(group, null);
  process.stdout.write(JSON.stringify(columns));
}
