import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { settingsMarkdown } from './settings-markdown.ts';

const path = new URL('../../docs/settings.md', import.meta.url);
const lastWritten = '<!-- From here on made by `npm run docs:settings` from the schemas. -->\n';

it('docs/settings.md has every setting as the schemas have it; npm run docs:settings writes it', async () => {
  const [byHand, tables] = (await readFile(path, 'utf8')).split(lastWritten);
  expect(tables).toBeDefined();
  await expect(`${byHand}${lastWritten}\n${settingsMarkdown()}`).toMatchFileSnapshot(
    '../../docs/settings.md',
  );
});
