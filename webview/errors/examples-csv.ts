import { csv } from '../ui/csv';
import type { CommonModel } from './model';

/**
 * Everything known about some examples, for a spreadsheet.
 *
 * @param names of the columns about the answer
 * @param cells of an example in these columns
 */
export function examplesCsv(
  { columns: c, texts }: CommonModel,
  examples: readonly number[],
  names: readonly string[],
  cells: (example: number) => (string | number)[],
): string {
  const hasPairs = [...texts.values()].some((e) => e.pair !== undefined);
  return csv([
    ['line', ...names, 'tokens', 'cut', 'text', ...(hasPairs ? ['pair'] : [])],
    ...examples.map((i) => [
      c.line[i],
      ...cells(i),
      c.tokens[i],
      c.cut[i],
      texts.get(i)?.text ?? '',
      ...(hasPairs ? [texts.get(i)?.pair ?? ''] : []),
    ]),
  ]);
}
