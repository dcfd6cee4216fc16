import type { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { presetNames } from '../../encoders/presets.ts';
import { objectiveNames } from '../../objectives/index.ts';
import { pretrainConfig } from '../../pipelines/pretrain/config.ts';
import { pretrain } from '../../pipelines/pretrain/index.ts';
import { deviceChoices } from '../../runtime/device.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { collectSettings, number, setBackbone } from '../settings.ts';

interface Options extends CommonOptions {
  readonly dataset?: string;
  readonly out?: string;
  readonly steps?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly seed?: number;
  readonly init?: string;
  readonly memory?: string;
  readonly device?: string;
  readonly encoder?: string;
  readonly backbone?: string;
  readonly objective?: string;
}

export function pretrainCommand(terminal: Terminal, outcome: Outcome): Command {
  return command('pretrain', 'dataset → encoder', [
    'courier pretrain --dataset datasets/shop --out runs/encoder',
    [
      'courier pretrain --dataset datasets/shop --encoder outlines',
      '--set learningRate=0.003 --out runs/outlines',
    ].join(' \\\n'),
  ])
    .option('--dataset <folder>', 'dataset folder that ingest wrote')
    .option('--out <folder>', 'run folder; the same command on the same folder resumes')
    .option('--objective <name>', `${objectiveNames.join(', ')} (default: courier)`)
    .option('--steps <count>', 'training steps', number)
    .option('--batch-size <samples>', 'clicks per step', number)
    .option('--learning-rate <rate>', 'highest learning rate', number)
    .option('--seed <seed>', 'seed of everything random', number)
    .option('--init <file>', 'safetensors file to start the encoder from: a checkpoint, or published weights')
    .option(
      '--encoder <name>',
      `outlines, ${presetNames.join(', ')}, or with more settings vit, swin or backbone`,
    )
    .option('--backbone <file>', 'ONNX file of a pretrained image model, of whose features a head is learned')
    .option('--memory <amount>', 'what the process may take, as 8GiB; by default half of what there is')
    .option('--device <name>', `${deviceChoices.join(', ')}; see doctor`)
    .action((options: Options) =>
      execute(
        options,
        terminal,
        outcome,
        async ({ print, ...context }) => {
          const { dataset, out, steps, batchSize, learningRate, seed, init, memory, device } = options;
          const encoder = options.encoder === undefined ? undefined : { name: options.encoder };
          const settings = await collectSettings(options, {
            dataset,
            out,
            steps,
            batchSize,
            learningRate,
            seed,
            init,
            encoder,
            'objective.name': options.objective,
            memory,
            device,
          });
          setBackbone(settings, ['encoder'], options.backbone);
          const config = parseConfig(pretrainConfig, settings, 'pretrain configuration');
          const result = await pretrain(config, context);
          const score =
            result.bestScore === null
              ? ''
              : `, SimScore AUC ${result.bestScore.toFixed(4)} on the validation period`;
          print(`Encoder of step ${result.bestStep}${score}: ${result.encoder}`);
          return { ...result };
        },
        'all processes',
      ),
    );
}
