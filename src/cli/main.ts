/** The command line. */
import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import type { Outcome, Terminal } from './command.ts';
import { clusterCommand } from './commands/cluster.ts';
import { compareCommand } from './commands/compare.ts';
import { demoCommand } from './commands/demo.ts';
import { describeCommand } from './commands/describe.ts';
import { doctorCommand } from './commands/doctor.ts';
import { embedCommand } from './commands/embed.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { experimentCommand } from './commands/experiment.ts';
import { explainCommand } from './commands/explain.ts';
import { exportCommand } from './commands/export.ts';
import { featuresCommand } from './commands/features.ts';
import { ingestCommand } from './commands/ingest.ts';
import { keyCommand } from './commands/key.ts';
import { pretrainCommand } from './commands/pretrain.ts';
import { rankCommand } from './commands/rank.ts';
import { serveCommand } from './commands/serve.ts';
import { settingsCommand } from './commands/settings.ts';
import { tuneCommand } from './commands/tune.ts';

const commands = [
  demoCommand,
  ingestCommand,
  describeCommand,
  pretrainCommand,
  embedCommand,
  clusterCommand,
  featuresCommand,
  rankCommand,
  evaluateCommand,
  compareCommand,
  tuneCommand,
  explainCommand,
  experimentCommand,
  exportCommand,
  serveCommand,
  keyCommand,
  settingsCommand,
  doctorCommand,
];

/**
 * Runs one command line.
 * @returns the exit code: 0 for success, 1 for an error that the user can mend, 2 for a bug
 */
export async function main(terminal: Terminal): Promise<0 | 1 | 2> {
  const outcome: Outcome = { exitCode: 0 };
  const program = new Command('courier')
    .description(
      'Learns image embeddings from click logs, and measures what they add to a click-through-rate model.',
    )
    .version(version)
    .showHelpAfterError('(add --help for what it takes)');
  for (const create of commands) program.addCommand(create(terminal, outcome));
  for (const each of [
    program,
    ...program.commands,
    ...program.commands.flatMap(({ commands }) => commands),
  ]) {
    each.exitOverride().configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    });
  }
  try {
    await program.parseAsync(terminal.words, { from: 'user' });
  } catch (error) {
    // Commander has printed its message already: help and version with 0, a wrong command line with 1.
    if (error instanceof CommanderError) {
      if (error.code === 'commander.excessArguments')
        terminal.stderr.write(
          'A pattern such as logs/*.csv needs quotation marks, or the shell makes several words of it.\n',
        );
      return error.exitCode === 0 ? 0 : 1;
    }
    throw error;
  }
  return outcome.exitCode;
}
