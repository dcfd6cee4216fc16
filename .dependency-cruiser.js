/**
 * The house of docs/architecture.md as rules: `npm run house` fails with a readable line where an import breaks one.
 * Rooms are folders of src. An import may only go to a floor further down; rooms of one floor do not know each other.
 */
import { readFileSync } from 'node:fs';


/** Rooms by floor, from the roof down. */
const floors = JSON.parse(readFileSync(new URL('tools/floors.json', import.meta.url), 'utf8'));

/** Files that no import names: a process or a thread starts with them, or a user does. */
const entrances = [
  '^src/index\\.ts$',
  '^src/cli/bin\\.ts$',
  '^src/runtime/(probe|trial-process|c-api/worker|node-binding/worker)\\.ts$',
  '^src/runtime/(probe|trial-process|c-api/worker|node-binding/worker)-from-source\\.js$',
  '^src/rankers/kernels/[^/]+\\.ts$',
  '^src/data/photos/photo-worker(\\.ts|-from-source\\.js)$',
  '^src/data/counters/shares/counter-thread(\\.ts|-from-source\\.js)$',
  '^bench/main\\.ts$',
  '^bench/[^/]+-program\\.ts$',
  '^bench/peers/install\\.ts$',
  '^tools/[^/]+\\.ts$',
];

const foldersOf = (rooms) => `^src/(${rooms.join('|')})/`;

const floorRules = floors.flatMap((rooms, floor) =>
  rooms.map((room) => {
    const others = rooms.filter((other) => other !== room);
    const above = floors.slice(0, floor).flat();
    return {
      name: `${room}-imports-only-downward`,
      comment: `${room} may only import what stands on a lower floor.`,
      severity: 'error',
      from: { path: foldersOf([room]) },
      to: { path: ['^src/index\\.ts$', ...([...above, ...others].length > 0 ? [foldersOf([...above, ...others])] : [])] },
    };
  }),
);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...floorRules,
    {
      name: 'ground-imports-no-room',
      comment: 'Files directly in src are what every room stands on, so they know none; the library is the exception.',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$', pathNot: '^src/index\\.ts$' },
      to: { path: '^src/[^/]+/' },
    },
    {
      name: 'every-room-has-a-floor',
      comment: 'A new folder of src needs a place among the floors.',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: foldersOf(floors.flat()) },
    },
    {
      name: 'pipelines-do-not-import-each-other',
      comment: 'What two commands need has a room of its own: training, evaluation, runs.',
      severity: 'error',
      from: { path: '^src/pipelines/([^/]+)/' },
      to: { path: '^src/pipelines/', pathNot: '^src/pipelines/$1/' },
    },
    {
      name: 'leaves-know-no-onnx',
      comment: 'Data, metrics, linear algebra and experiments are plain numbers: no graph, no sessions.',
      severity: 'error',
      from: { path: '^src/(data|metrics|linear-algebra|experiments)/' },
      to: { path: '^src/(graph|runtime)/|node_modules/onnxruntime' },
    },
    {
      name: 'no-circle',
      comment: 'Files that need each other are one idea, or lack a third one below both.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphan',
      comment: 'Nothing imports this file: use it or delete it.',
      severity: 'error',
      from: { path: entrances },
      // A declaration of types is found without being imported.
      to: { path: '^(src|bench|tools)/.*\\.ts$', pathNot: [...entrances, '\\.d\\.ts$'], reachable: false },
    },
    {
      name: 'product-does-not-import-tests',
      comment: 'What ships stands without tests and benchmarks.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|examples|tools)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Tests may look into every room.
    exclude: { path: '\\.test\\.ts$' },
    tsPreCompilationDeps: true,
    parser: 'swc',
  },
};
