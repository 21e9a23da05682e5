import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { numberIn } from '../../../base/csv';
import { SAMPLERS } from '../../../experiment/pictures';
import { writeAtomic } from '../../../files/atomic';
import { isFolder } from '../../../files/tree';
import { isDrawingSettings, type DrawingSettings, type PlayVariant } from '../../../protocol/play-question';
import type { PlayFacts, PlayPicture } from '../../../protocol/playground';
import type { ParsedArgs } from '../../command';

/** The command line's settings for pictures; the rest is as in training. */
export interface DrawingOptions {
  negative?: string;
  settings: Partial<DrawingSettings>;
  /** The folder for pictures. */
  folder: string;
}

/** @throws AuroraError 'usage' */
export function drawingOptionsOf(args: ParsedArgs): DrawingOptions {
  const settings: Record<string, unknown> = {};
  for (const name of ['steps', 'guidance', 'seed']) {
    const given = args.text(name);
    if (given !== undefined) settings[name] = numberIn(given);
  }
  if (args.text('sampler') !== undefined) settings.sampler = args.text('sampler');
  const size = args.text('size');
  if (size !== undefined) {
    const [, width, height] = /^(\d+)x(\d+)$/.exec(size) ?? [];
    Object.assign(settings, { width: Number(width), height: Number(height) });
  }
  const usual = { steps: 1, guidance: 1, seed: 0, sampler: SAMPLERS[0], width: 8, height: 8 };
  if (!isDrawingSettings({ ...usual, ...settings }))
    throw new AuroraError(
      'usage',
      `--steps takes a whole number from 1 to 1000, --guidance a number of at least 0, --sampler ${SAMPLERS.join(' or ')}, and --size a width and a height such as 512x512, multiples of 8 up to 4096.`,
      'See `aurora play --help`.',
    );
  const negative = args.text('negative');
  return { negative, settings, folder: resolve(args.text('out') ?? '.') };
}

/** All settings of a picture. */
export const drawingOf = ({ drawing }: PlayFacts, { settings }: DrawingOptions): DrawingSettings => ({
  ...drawing!,
  seed: 0,
  ...settings,
});

/** The first number from which on no picture in a folder has a name. */
export function freeNumber({ folder }: DrawingOptions): number {
  const names = isFolder(folder) ? readdirSync(folder) : [];
  const taken = names.map((name) => Number(/^picture-(\d{1,9})\b/.exec(name)?.[1] ?? 0));
  return 1 + Math.max(0, ...taken);
}

/**
 * @param number of the prompt: pictures of the same one differ in who drew them
 * @returns the path of the picture's file
 */
export function writePicture(
  { png }: PlayPicture,
  { folder }: DrawingOptions,
  number: number,
  of: { subject: string; variant: PlayVariant },
): string {
  const who = `${of.subject === '1' ? '' : `-run-${of.subject}`}${of.variant === 'base' ? '-base' : ''}`;
  const path = join(folder, `picture-${number}${who}.png`);
  writeAtomic(path, Buffer.from(png, 'base64'));
  return path;
}
