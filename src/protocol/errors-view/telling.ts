import type { Columns } from '../prediction-columns';

/** Examples, most informative about the model first: wrong ones by loss, then right ones by margin; numbers by loss. */
export function tellingOrder({ loss, margin }: Columns, wrong: Uint8Array): number[] {
  const examples = [...wrong.keys()];
  return [
    ...examples.filter((i) => wrong[i] === 1).sort((a, b) => loss[b] - loss[a]),
    ...examples.filter((i) => wrong[i] === 0).sort((a, b) => margin[a] - margin[b] || loss[b] - loss[a]),
  ];
}
