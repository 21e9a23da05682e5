import { expect, it } from 'vitest';
import { imageFolders } from '../../../src/extension/models/picture-folders';

it('finds the folders whose own folders hold images, one for each label', () => {
  expect(
    imageFolders([
      '/w/pets/train/cats/1.png',
      '/w/pets/train/cats/2.png',
      '/w/pets/train/dogs/1.jpg',
      '/w/pets/test/cats/9.png',
      '/w/pets/test/dogs/9.png',
      '/w/docs/images/logo.png',
    ]),
  ).toEqual(['/w/pets/test', '/w/pets/train']);
});

it('finds none among loose images', () => expect(imageFolders(['/w/a.png', '/w/b.png'])).toEqual([]));
