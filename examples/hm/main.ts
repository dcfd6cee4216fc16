/**
 * Real input: COURIER on the public H&M sample, from a folder that you name.
 *
 *     npm run --silent example:hm -- --data FOLDER --out DIR --seeds 3 --json
 */
import { runExample } from '../real-data.ts';
import { hmSettings } from './settings.ts';

await runExample({
  source: 'hm',
  description: 'Ingests the H&M sample with protocol hm-v1 and compares what images add.',
  folder: 'folder with transactions.csv, articles.csv and images',
  title: 'What photos add on the H&M sample',
  settings: hmSettings,
});
