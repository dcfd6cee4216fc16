import { Command } from 'commander';
import { z } from 'zod';
import { parseConfig } from '../../config.ts';
import { scopes } from '../../server/endpoints.ts';
import { createKey, revokeKey } from '../../server/keys.ts';
import { type Examples, exampleText, execute, type Outcome, type Terminal } from '../command.ts';
import { list } from '../settings.ts';

const createExamples: Examples = [
  'courier key create --keys keys.json --name shop --scopes read,write',
  'courier key create --keys keys.json --name operator --scopes admin',
];
const revokeExamples: Examples = [
  'courier key revoke --keys keys.json --name shop',
  'courier key revoke --keys keys.json --name operator',
];

interface Options {
  readonly json?: boolean;
  readonly keys?: string;
  readonly name?: string;
  readonly scopes?: string;
}

const named = {
  keys: z.string().min(1),
  name: z.string().min(1).max(100),
};
const creation = z.strictObject({ ...named, scopes: z.array(z.enum(scopes)).min(1) });
const revocation = z.strictObject(named);

export function keyCommand(terminal: Terminal, outcome: Outcome): Command {
  return new Command('key')
    .description('keys by which a server knows who may ask for what')
    .addHelpText('after', exampleText([createExamples[0], revokeExamples[0]]))
    .addCommand(createCommand(terminal, outcome))
    .addCommand(revokeCommand(terminal, outcome));
}

function subcommand(name: string, description: string, examples: Examples): Command {
  return new Command(name)
    .description(description)
    .addHelpText('after', exampleText(examples))
    .option('--json', 'end standard output with one JSON object')
    .option('--keys <file>', 'JSON file of keys, as hashes')
    .option('--name <name>', 'by which the key is known in logs, and revoked');
}

function createCommand(terminal: Terminal, outcome: Outcome): Command {
  return subcommand(
    'create',
    'makes a key, prints it this once, and puts its hash into the file',
    createExamples,
  )
    .option('--scopes <list>', `what it is good for: ${scopes.join(', ')}`)
    .action((options: Options) =>
      execute(options, terminal, outcome, async ({ print }) => {
        const { json: _, ...own } = options;
        const given = { ...own, scopes: options.scopes === undefined ? undefined : list(options.scopes) };
        const { keys, ...about } = parseConfig(creation, given, 'key');
        const key = await createKey(keys, about);
        print(`${key}\nIt is shown this once; ${keys} has its hash.`);
        return { key, ...about };
      }),
    );
}

function revokeCommand(terminal: Terminal, outcome: Outcome): Command {
  return subcommand('revoke', 'takes a key out of the file', revokeExamples).action((options: Options) =>
    execute(options, terminal, outcome, async ({ print }) => {
      const { json: _, ...own } = options;
      const { keys, name } = parseConfig(revocation, own, 'key');
      await revokeKey(keys, name);
      print(`The key ${name} is taken out of ${keys}. Servers that run know within seconds.`);
      return { name };
    }),
  );
}
