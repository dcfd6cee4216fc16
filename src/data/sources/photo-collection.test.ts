import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { photoExtensions } from '../photos/decode-photo.ts';
import { PhotoCollection } from './photo-collection.ts';

async function open(...paths: string[]) {
  const root = join(await temporaryFolder(), 'photos');
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), '');
  }
  const folder = await PhotoCollection.open(root);
  const told = (place: ReturnType<PhotoCollection['ofItem']>) =>
    place.kind === 'found' ? place.path : place.kind;
  return {
    root,
    folder,
    ofItem: (id: string) => told(folder.ofItem(id)),
    named: (text: string) => told(folder.named(text)),
  };
}

describe('a folder of photos', () => {
  it('knows photos by the id of their item, in any format, wherever they lie', async () => {
    const { ofItem } = await open(
      'a.gif',
      'sub/b.JPG',
      'c',
      'd.png',
      'd.jpg',
      'f.jpg.webp',
      '.DS_Store',
      'e.txt',
    );
    expect(['a', 'b', 'c', 'd', 'f', '.DS_Store', 'e'].map(ofItem)).toEqual([
      'a.gif',
      'sub/b.JPG',
      'c',
      'd.jpg',
      'f.jpg.webp',
      'missing',
      'missing',
    ]);
  });

  it('knows them with every extension of a format that is read', async () => {
    const { ofItem } = await open(
      ...photoExtensions.map((extension) => `a${extension.slice(1)}${extension}`),
    );
    for (const extension of photoExtensions)
      expect(ofItem(`a${extension.slice(1)}`)).toBe(`a${extension.slice(1)}${extension}`);
  });

  it('takes the first of a folder named like the item, and never a name that several folders have', async () => {
    const { folder, ofItem } = await open(
      '1/10.jpg',
      '1/2.jpg',
      '7/2.jpg',
      '7/3.jpg',
      'x/front.jpg',
      'y/front.jpg',
    );
    expect(ofItem('1')).toBe('1/2.jpg');
    expect(folder.ofItem('1')).toMatchObject({ others: 1 });
    expect(ofItem('front')).toBe('shared');
    // Neither 2.jpg is that of an item 2.
    expect(ofItem('2')).toBe('shared');
  });

  it.each([
    ['as it is', 'sub/a.jpg'],
    ['with a dot', './sub/a.jpg'],
    ['with a slash', '/sub/a.jpg'],
    ['with the folder before it', 'data/photos/sub/a.jpg'],
    ['without extension', 'sub/a'],
    ['in other case', 'Sub/A.JPG'],
    ['with backslashes', 'sub\\a.jpg'],
    ['as a list', "['sub/a.jpg', 'b.jpg']"],
    ['between bars', 'sub/a.jpg|b.jpg'],
    ['through another folder', 'other/../sub/a.jpg'],
  ])('finds a photo that is named %s: %s', async (_, text) => {
    const { named } = await open('sub/a.jpg', 'b.jpg');
    expect(named(text)).toBe('sub/a.jpg');
  });

  it('finds a photo by an absolute path and a file URL within the folder', async () => {
    const { root, named } = await open('sub/a.jpg');
    expect([named(join(root, 'sub/a.jpg')), named(`file://${root}/sub/a.jpg`)]).toEqual([
      'sub/a.jpg',
      'sub/a.jpg',
    ]);
  });

  it('follows no path that leads out, fetches nothing, and knows what is much like it', async () => {
    const { folder, named } = await open('shoe-1.jpg', 'hat.jpg');
    expect(['../secret.jpg', '/etc/passwd', 'https://shop.example/a.jpg', 'shoe-2.jpg'].map(named)).toEqual([
      'outside',
      'outside',
      'remote',
      'missing',
    ]);
    expect(folder.nearest('shoe-2.jpg')).toBe('shoe-1.jpg');
  });
});
