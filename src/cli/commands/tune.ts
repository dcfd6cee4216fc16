import type { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { tuneConfig } from '../../pipelines/tune/config.ts';
import { tune } from '../../pipelines/tune/index.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { collectSettings, number, setBackbone } from '../settings.ts';

interface Options extends CommonOptions {
  readonly dataset?: string;
  readonly out?: string;
  readonly budget?: number;
  readonly backbone?: string;
  readonly seed?: number;
}

export function tuneCommand(terminal: Terminal, outcome: Outcome): Command {
  return command('tune', 'dataset → settings of pre-training, chosen on the validation period', [
    'courier tune --dataset datasets/shop --budget 27 --out runs/tune',
    'courier tune --dataset datasets/shop --set pretrain.encoder.name=outlines --out runs/tune-outlines',
  ])
    .option('--dataset <folder>', 'dataset folder that ingest wrote')
    .option('--backbone <file>', 'ONNX file of a pretrained image model, of whose features a head is learned')
    .option('--out <folder>', 'run folder; the same command on the same folder resumes')
    .option('--budget <count>', 'settings to try in the first, shortest round (default: 9)', number)
    .option('--seed <seed>', 'seed of everything random', number)
    .action((options: Options) =>
      execute(
        options,
        terminal,
        outcome,
        async ({ print, ...context }) => {
          const { dataset, out, budget, seed } = options;
          const settings = await collectSettings(options, { dataset, out, budget, seed });
          setBackbone(settings, ['pretrain', 'encoder'], options.backbone);
          const config = parseConfig(tuneConfig, settings, 'tune configuration');
          const result = await tune(config, context);
          const { best, trials, settings: path } = result;
          const failed = trials.filter(({ score }) => score === null).length;
          const failures = failed === 0 ? '' : `, ${failed} of them failed`;
          print(
            `Best of ${trials.length} trainings${failures}: SimScore AUC ${best.score?.toFixed(4)} on the validation period\nSettings for pretrain --config: ${path}`,
          );
          return { ...result };
        },
        'all processes',
      ),
    );
}
