/** How far a large file, or a pattern of several, has been read. */
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
export const readingText = (
  { file, percent }: Reading,
  t: (sentence: string, ...values: (string | number)[]) => string,
): string => t('Reading {0}: {1}%', file, percent);

/** Calls back only when there is something else to say. */
export function onlyChanges(say: (reading: Reading | undefined) => void): typeof say {
  let last: Reading | undefined;
  return (reading) => {
    if (reading?.file === last?.file && reading?.percent === last?.percent) return;
    last = reading;
    say(reading);
  };
}
