/**
 * Real input: COURIER on MovieLens 1M with film posters, from a folder that you name.
 *
 *     npm run --silent example:ml1m -- --data FOLDER --out DIR --seeds 3 --json
 */
import { runExample } from '../real-data.ts';
import { ml1mSettings } from './settings.ts';

await runExample({
  source: 'ml1m',
  description: 'Ingests MovieLens 1M with posters, protocol ml1m-v1, and compares what images add.',
  folder: 'folder with movies.dat, users.dat, train.tsv.gz, val.tsv.gz, test.tsv.gz and posters',
  title: 'What posters add on MovieLens 1M',
  settings: ml1mSettings,
});
