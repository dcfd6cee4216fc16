import { describe, expect, it } from 'vitest';
import { courier } from '../../../test/support/terminal.ts';
import { schemas } from '../schemas.ts';

describe('courier settings', () => {
  it('names every command that has settings', async () => {
    const ran = await courier('settings');
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout.trimEnd().split('\n')).toEqual(
      Object.keys(schemas).map((name) => `courier settings ${name}`),
    );
  });

  it('prints a setting with what it takes, its default, its condition and its meaning', async () => {
    const { stdout } = await courier('settings', 'pretrain');
    expect(stdout).toContain(
      'encoder.window: integer from 2 to 32; default 4; where encoder.name is swin\n    Side of the attention windows, in patches.\n',
    );
    expect(stdout).toContain('dataset: text; needed\n    Dataset folder that ingest wrote.\n');
  });

  it.each(Object.keys(schemas))('knows every line that it prints without a command: %s', async (name) => {
    expect(await courier('settings', ...name.split(' '))).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('prints the tables of docs/settings.md', async () => {
    const { stdout } = await courier('settings', '--markdown');
    expect(stdout).toContain('### embed\n\n| setting |');
    expect(stdout).toContain('| `compare.seeds` | list of 1 or more: integer, at least 0 | default [1] |');
  });

  it('gives the JSON schema of what a user writes', async () => {
    const { json } = await courier('settings', 'pretrain', '--json');
    expect(json).toMatchObject({
      ok: true,
      command: 'pretrain',
      schema: {
        required: ['dataset', 'out'],
        properties: { memory: { anyOf: [{ type: 'string' }, { type: 'integer' }] } },
      },
    });
  });

  it('refuses a command without settings, naming those that have some', async () => {
    const ran = await courier('settings', 'doctor', '--json');
    expect(ran).toMatchObject({ exitCode: 1, json: { ok: false, error: { code: 'CONFIG_INVALID' } } });
    expect(ran.stderr).toContain('Name one of ingest, describe, pretrain,');
  });
});
