import { mkdirSync } from 'node:fs';
import { png } from '../png';
import type { Lab } from './lab';

/** The files of a small ViT of the fixtures, with its preprocessing and pictures for it in the folder of the lab. */
export function writePictures(lab: Lab, count: number): void {
  mkdirSync(lab.path('images'));
  for (let i = 0; i < count; i++) lab.write(`images/${i}.png`, picture(i));
  const size = { height: 24, width: 24 };
  lab.write('preprocessor_config.json', JSON.stringify({ image_processor_type: 'ViTImageProcessor', size }));
}

/** The label of a picture. */
export const pictured = (i: number): string => (i % 2 ? 'cat' : 'none');

/** Reddish if there is a cat on it, of another size each time. */
const picture = (i: number): Buffer =>
  png(20 + (i % 9), 30 - (i % 7), (x, y) => {
    const noise = (x * 7 + y * 13 + i * 29) % 90;
    return i % 2 ? [160 + noise, 60, noise] : [noise, 60, 160 + noise];
  });
