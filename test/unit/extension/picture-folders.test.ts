import { expect, it } from 'vitest';
import { pictureFolders } from '../../../src/extension/models/picture-folders';

it('folders with images right in them are counted, with captions in a file or beside the images', () => {
  expect(
    pictureFolders([
      '/w/dog/1.png',
      '/w/dog/2.JPG',
      '/w/dog/readme.txt',
      '/w/cats/a.webp',
      '/w/cats/a.txt',
      '/w/birds/train/x.png',
      '/w/birds/train/metadata.jsonl',
      '/w/notes/only.txt',
      '/w/data/metadata.csv',
    ]),
  ).toEqual([
    { path: '/w/birds/train', images: 1, captions: true },
    { path: '/w/cats', images: 1, captions: true },
    { path: '/w/dog', images: 2, captions: false },
  ]);
});
