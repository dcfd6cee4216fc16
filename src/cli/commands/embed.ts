import type { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { embedConfig } from '../../pipelines/embed/config.ts';
import { type EmbedResult, embed } from '../../pipelines/embed/index.ts';
import type { PrecisionReport } from '../../pipelines/embed/int8.ts';
import { deviceChoices } from '../../runtime/device.ts';
import { decimals, duration, integer } from '../../text.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { describeFindings } from '../ingest-summary.ts';
import { collectSettings, list } from '../settings.ts';

interface Options extends CommonOptions {
  readonly dataset?: string;
  readonly photos?: string;
  readonly encoder?: string;
  readonly out?: string;
  readonly npy?: true;
  readonly sizes?: readonly string[];
  readonly precision?: string;
  readonly device?: string;
}

export function embedCommand(terminal: Terminal, outcome: Outcome): Command {
  return command('embed', 'encoder → embeddings of the whole catalogue', [
    [
      'courier embed --dataset datasets/shop --encoder runs/encoder/encoder.onnx',
      '--out runs/embeddings.parquet',
    ].join(' \\\n'),
    'courier embed --photos images --encoder runs/encoder/encoder.onnx --out runs/photos.parquet',
  ])
    .option('--dataset <folder>', 'dataset folder that ingest wrote')
    .option('--photos <folder>', 'or a folder of image files, each an item called by its path')
    .option('--encoder <file>', 'encoder.onnx that pretrain wrote')
    .option('--out <file>', 'Parquet file to write; photos that did not change since are taken over from it')
    .option('--npy', 'also as a matrix: the same name with .npy, its ids as .ids.csv')
    .option(
      '--sizes <sizes>',
      'smaller forms beside it: 64 for the first 64 numbers, int8, 64-int8; separated by commas',
      list,
    )
    .option('--precision <name>', 'float32; or int8, compared with float32 in speed and exactness')
    .option('--device <name>', `${deviceChoices.join(', ')}; see doctor`)
    .action((options: Options) =>
      execute(
        options,
        terminal,
        outcome,
        async ({ print, ...context }) => {
          const { dataset, photos, encoder, out, npy, sizes, precision, device } = options;
          const own = { dataset, photos, encoder, out, npy, sizes, precision, device };
          const settings = await collectSettings(options, own);
          const config = parseConfig(embedConfig, settings, 'embed configuration');
          const result = await embed(config, context);
          print(describeEmbedding(result));
          return { ...result };
        },
        'all processes',
      ),
    );
}

function describeEmbedding({ findings, precision, ...result }: EmbedResult): string {
  const { items, encoded, reused, failed, dimension, seconds, embeddings, npy, sizes } = result;
  const left = failed === 0 ? '' : `, ${integer(failed)} photos left out`;
  return [
    ...describeFindings(findings),
    ...(precision === null ? [] : describePrecision(precision)),
    `${integer(encoded)} encoded, ${integer(reused)} taken over${left}, in ${duration(seconds)}`,
    `${integer(items)} embeddings of length ${dimension}: ${embeddings}`,
    ...(npy === null ? [] : [`As a matrix: ${npy.vectors}:${npy.ids}`]),
    ...sizes.map(
      ({ size, bytes, embeddings }) => `At size ${size}, ${integer(bytes)} bytes each: ${embeddings}`,
    ),
  ].join('\n');
}

/** A mean cosine to float32 below this is told as a warning. */
const faithful = 0.99;

function describePrecision(report: PrecisionReport): readonly string[] {
  const { cosine, photosPerSecond, speedup, auc, model, photos } = report;
  const rates = `${integer(photosPerSecond.int8)} against ${integer(photosPerSecond.float32)} photos/s`;
  return [
    `int8 against float32, on ${integer(photos)} photos:`,
    `  speed    ${decimals(speedup, 2)} times: ${rates}, without decoding`,
    `  cosine   ${decimals(cosine.mean, 4)} on average, ${decimals(cosine.worst, 4)} at worst`,
    ...(auc === null ? [] : [`  AUC      ${describeAucs(auc)}`]),
    `  encoder  ${model}`,
    ...(speedup > 1 ? [] : ['int8 is not faster than float32 on this machine: float32 serves you better.']),
    ...(cosine.mean >= faithful ? [] : ['int8 changes these embeddings noticeably: float32 is safer.']),
  ];
}

function describeAucs(auc: NonNullable<PrecisionReport['auc']>): string {
  if (auc.kind === 'undefined') return `– ${auc.why}`;
  const { int8, float32 } = auc.value;
  return `${decimals(int8, 4)} against ${decimals(float32, 4)}, of SimScore on the validation period`;
}
