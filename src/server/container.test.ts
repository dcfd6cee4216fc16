import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import packageFile from '../../package.json' with { type: 'json' };
import { courier } from '../../test/support/terminal.ts';
import { parseServeConfig } from './config.ts';

const service = z.object({
  command: z.array(z.string()),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.unknown()).default({}),
});
const compose = z.object({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
});

describe('compose.yaml', () => {
  it('starts the server with options that there are, on volumes and services that there are', async () => {
    const { services, volumes } = compose.parse(parse(await readFile('compose.yaml', 'utf8')));
    const { redis, courier: server } = services;
    const [command, ...words] = server?.command ?? [];
    expect(command).toBe('serve');
    const { stdout } = await courier('serve', '--help');
    const pairs = words.flatMap((word, place) => (place % 2 === 0 ? [[word, words[place + 1] ?? '']] : []));
    for (const [option = ''] of pairs) expect(stdout).toContain(`  ${option} <`);
    const settings = Object.fromEntries(
      pairs.map(([option = '', value = '']) => [
        option.slice(2),
        option === '--port' ? Number(value) : value,
      ]),
    );
    const { state, keys, host } = parseServeConfig(settings);
    expect([state, keys, host]).toEqual(['redis://redis:6379?prefix=shop', '/keys/keys.json', '0.0.0.0']);
    expect(redis?.command.join(' ')).toContain('--appendonly yes --appendfsync always');
    for (const name of Object.keys(server?.depends_on ?? {})) expect(services).toHaveProperty(name);
    const named = [...(redis?.volumes ?? []), ...(server?.volumes ?? [])]
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((from) => !from.startsWith('.'));
    expect(named.toSorted()).toEqual(Object.keys(volumes).toSorted());
    const file = await readFile(server?.build?.dockerfile ?? '', 'utf8');
    expect(file).toContain(`ENTRYPOINT ["node", "${packageFile.bin.courier}"]`);
    expect(file).toContain('http://127.0.0.1:8080/readyz');
  });
});
