import { count } from '../base/number-text';
import { t } from '../base/l10n';

/** The progress of reading a large file, or a pattern of several. */
export interface Reading {
  /** Its name, without its folder. */
  file: string;
  /** A whole number, below 100. */
  percent: number;
}

/** @param done bytes of `of`. @returns undefined when all have been read */
export function readingOf(name: string, done: number, of: number): Reading | undefined {
  return done >= of ? undefined : { file: name, percent: Math.floor((100 * done) / of) };
}

/** "Reading train.jsonl: 43%" */
export const readingText = ({ file, percent }: Reading): string => t('Reading {0}: {1}%', file, percent);

/** Calls back only if the text changes. */
export function onlyChanges<T>(say: (now: T | undefined) => void): (now: T | undefined) => void {
  let last: string | undefined;
  return (now) => {
    const text = JSON.stringify(now);
    if (text === last) return;
    last = text;
    say(now);
  };
}

/** The work of a trainer before its first step, or in a long evaluation, as its status.json reports it. */
export type Preparing =
  /** A large file, or images and prompts that are encoded once. */
  | ({ doing: 'reading' } & Reading)
  | { doing: 'tokenizing'; file: string; done: number; of: number }
  /** Reading the model's file, and its graph without its data. */
  | { doing: 'model' }
  /** `places`: engines and devices whose first step is measured. */
  | { doing: 'measuring'; places: string }
  | { doing: 'opening' }
  /** The longest examples, which need the most memory. */
  | { doing: 'trying' }
  /** Initial values of adapters from the weights or from data; a whole number, at most 100. */
  | { doing: 'starting'; initialization: string; percent: number }
  /** Answers of an evaluation, by which it is scored. */
  | { doing: 'writing'; done: number; of: number };

/** @param done bytes of `of` */
export function preparingRead(name: string, done: number, of: number): Preparing {
  const reading = readingOf(name, done, of);
  return reading ? { doing: 'reading', ...reading } : { doing: 'model' };
}

/** "Tokenizing train.jsonl: 3,000 of 8,822 rows" */
export function preparingText(now: Preparing): string {
  switch (now.doing) {
    case 'reading':
      return readingText(now);
    case 'tokenizing':
      return t('Tokenizing {0}: {1} of {2} rows', now.file, count(now.done), count(now.of));
    case 'model':
      return t('Reading the model');
    case 'measuring':
      return t('Measuring {0}', now.places);
    case 'opening':
      return t('Opening the model');
    case 'trying':
      return t('Trying the longest examples');
    case 'starting':
      return t('Computing the initial adapters ({0}): {1}%', now.initialization, now.percent);
    case 'writing':
      return t('Writing answers: {0} of {1}', count(now.done), count(now.of));
  }
}

/** The progress in percent; undefined where it cannot be known. */
export function preparedPercent(now: Preparing): number | undefined {
  if (now.doing === 'reading' || now.doing === 'starting') return now.percent;
  return now.doing === 'tokenizing' || now.doing === 'writing' ? (100 * now.done) / now.of : undefined;
}

/** A preparation as read from a file; undefined if it is none that this program knows. */
export function parsePreparing(value: unknown): Preparing | undefined {
  const { doing, file, percent, done, of, places, initialization } = (value ?? {}) as Record<string, unknown>;
  switch (doing) {
    case 'reading':
      return typeof file === 'string' && typeof percent === 'number' ? { doing, file, percent } : undefined;
    case 'tokenizing':
      return typeof file === 'string' && typeof done === 'number' && typeof of === 'number'
        ? { doing, file, done, of }
        : undefined;
    case 'starting':
      return typeof initialization === 'string' && typeof percent === 'number'
        ? { doing, initialization, percent }
        : undefined;
    case 'writing':
      return typeof done === 'number' && typeof of === 'number' ? { doing, done, of } : undefined;
    case 'measuring':
      return typeof places === 'string' ? { doing, places } : undefined;
    case 'model':
    case 'opening':
    case 'trying':
      return { doing };
    default:
      return undefined;
  }
}
