import { Command } from 'commander';
import { CourierError } from '../../errors.ts';
import { exampleText, execute, type Outcome, type Terminal } from '../command.ts';
import { type SchemaName, schemas } from '../schemas.ts';
import { jsonSchemaOf, type SettingRow, settingRows } from '../setting-rows.ts';
import { settingsMarkdown } from '../settings-markdown.ts';

interface Options {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly assign?: boolean;
  readonly live?: boolean;
}

/** Options of commands that then have other settings. */
const variants = ['assign', 'live'] as const;

export function settingsCommand(terminal: Terminal, outcome: Outcome): Command {
  return new Command('settings')
    .description('every setting of a command: what it takes, its default, what it means')
    .addHelpText('after', exampleText(['courier settings pretrain', 'courier settings compare --json']))
    .argument('[command...]', Object.keys(schemas).join(', '))
    .option('--json', 'end standard output with one JSON object, which holds the JSON schema of the settings')
    .option('--markdown', 'the settings of all commands as tables of Markdown')
    .option('--assign', 'of cluster: settings of giving new items the ids of earlier centres')
    .option('--live', 'of demo: settings of the shop that is visited')
    .action((words: readonly string[], options: Options) =>
      execute(options, terminal, outcome, async ({ print }) => {
        const command = words.join(' ');
        if (command === '') {
          const commands = Object.keys(schemas);
          const list = commands.map((name) => `courier settings ${name}`).join('\n');
          print(options.markdown === true ? settingsMarkdown() : list);
          return { commands };
        }
        const chosen = variants.filter((variant) => options[variant] === true);
        const name = [command, ...chosen.map((variant) => `--${variant}`)].join(' ');
        if (!isSchemaName(name)) throw unknownCommand(name);
        print(settingRows(schemas[name]).map(describeSetting).join('\n'));
        return { command: name, schema: jsonSchemaOf(schemas[name]) };
      }),
    );
}

function describeSetting({ key, type, unlessGiven, meaning, where }: SettingRow): string {
  const condition = where === null ? '' : `where ${where.key} is ${where.values.join(', ')}`;
  const facts = [type, unlessGiven, condition].filter((text) => text !== '').join('; ');
  return `${key}: ${facts}\n    ${meaning ?? ''}`;
}

function isSchemaName(name: string): name is SchemaName {
  return Object.hasOwn(schemas, name);
}

function unknownCommand(name: string): CourierError {
  const commands = Object.keys(schemas).join(', ');
  return new CourierError(
    'CONFIG_INVALID',
    `No command has the settings of ${name}.`,
    `Name one of ${commands}.`,
  );
}
