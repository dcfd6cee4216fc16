/** Runs one benchmark: `npm run bench -- NAME [--json] [--rounds 5] [--only TEXT]`. */
import { Command } from 'commander';
import { version as courierVersion } from '../src/version.ts';

import { backbones } from './backbones.ts';
import type { Benchmark } from './benchmark.ts';

import { bindingsBench } from './bindings.ts';
import { checkpoint } from './checkpoint.ts';
import { checkpointCost } from './checkpoint-cost.ts';

import { chunkSize } from './chunk-size.ts';
import { countersBench } from './counters.ts';
import { decode } from './decode.ts';
import { embed } from './embed.ts';
import { embeddingTable } from './embedding-table.ts';
import { embeddingsRead } from './embeddings-read.ts';
import { experimentsBench } from './experiments.ts';
import { exportsBench } from './exports.ts';
import { features } from './features.ts';
import { fineTune } from './fine-tune.ts';
import { foreignRanker } from './foreign-ranker.ts';
import { gemmShare } from './gemm-share.ts';
import { headStep } from './head-step.ts';
import { hosts } from './hosts.ts';
import { ingestBench } from './ingest.ts';
import { kill } from './kill.ts';
import { killProcesses } from './kill-processes.ts';
import { kMeans } from './kmeans.ts';
import { loader } from './loader.ts';
import { measuring } from './measuring.ts';
import { memory } from './memory.ts';
import { noise } from './noise.ts';
import { nullSimulation } from './null-simulation.ts';
import { operators } from './operators.ts';
import { processes } from './processes.ts';
import { rankAccuracy } from './rank-accuracy.ts';
import { rankTableSize } from './rank-table-size.ts';
import { rankTrain } from './rank-train.ts';
import { rankerBaseline } from './ranker-baseline.ts';
import { type BenchReport, describeRow, machine } from './report.ts';
import { serve } from './serve.ts';
import { serveEqual } from './serve-equal.ts';
import { serveHttpKill } from './serve-http-kill.ts';
import { serveKill } from './serve-kill.ts';
import { serveSwap } from './serve-swap.ts';
import { smoke } from './smoke.ts';
import { trainStep } from './train-step.ts';

const benchmarks: Readonly<Record<string, Benchmark>> = {
  backbones,
  bindings: bindingsBench,
  'train-step': trainStep,
  embed,
  'embedding-table': embeddingTable,
  'embeddings-read': embeddingsRead,
  experiments: experimentsBench,
  exports: exportsBench,
  features,
  'fine-tune': fineTune,
  'foreign-ranker': foreignRanker,
  'gemm-share': gemmShare,
  'head-step': headStep,
  hosts,
  measuring,
  memory,
  checkpoint,
  'checkpoint-cost': checkpointCost,
  operators,
  'chunk-size': chunkSize,
  decode,
  counters: countersBench,
  ingest: ingestBench,
  kill,
  'kill-processes': killProcesses,
  kmeans: kMeans,
  loader,
  noise,
  processes,
  'null-simulation': nullSimulation,
  'rank-accuracy': rankAccuracy,
  'rank-train': rankTrain,
  'ranker-baseline': rankerBaseline,
  'rank-table-size': rankTableSize,
  serve,
  'serve-equal': serveEqual,
  'serve-http-kill': serveHttpKill,
  'serve-kill': serveKill,
  'serve-swap': serveSwap,
  smoke,
};

interface Options {
  readonly json?: true;
  readonly rounds: number;
  readonly only: string;
  readonly data?: string;
}

const program = new Command('bench')
  .argument('<name>', Object.keys(benchmarks).join(', '))
  .option('--json', 'end standard output with one JSON object')
  .option('--rounds <count>', 'rounds that count', Number, 5)
  .option('--only <text>', 'only cases whose name holds this text', '')
  .option('--data <folder>', 'folder with data that cannot be generated, for benchmarks that take some')
  .action(async (name: string, options: Options) => {
    const benchmark = benchmarks[name];
    if (benchmark === undefined) {
      throw program.error(`no benchmark ${name}; there are ${Object.keys(benchmarks).join(', ')}`);
    }
    const { rounds, only, data = null } = options;
    const say = (text: string) => process.stderr.write(`${text}\n`);
    const result = await benchmark({ rounds, only, data, say });
    const versions = { courier: courierVersion, node: process.version };
    const report: BenchReport = { bench: name, ...result, machine: machine(), versions };
    for (const row of report.rows) say(describeRow(row));
    if (report.missing.length > 0) say(`Not installed: ${report.missing.join(', ')} (npm run bench:peers)`);
    if (options.json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
  });

await program.parseAsync();
