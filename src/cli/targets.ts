import { AuroraError } from '../base/errors';

/** The value of --targets: names or path endings, or all-linear. */
export function targetsOf(given: string | undefined): string | string[] | undefined {
  if (given === undefined || given === 'all-linear') return given;
  const names = given.split(/[\s,]+/).filter((name) => name !== '');
  if (names.length === 0)
    throw new AuroraError('usage', '--targets does not name a module.', 'For example: --targets query,value');
  return names;
}
