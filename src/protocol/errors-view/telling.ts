import type { Columns } from '../predictions';

export const isWrong = ({ label, predicted }: Columns, example: number): boolean =>
  label[example] !== predicted[example];

/** Examples, most informative about the model first: wrong ones by loss, then right ones by margin. */
export function tellingOrder(columns: Columns): number[] {
  const examples = [...columns.label.keys()];
  const { loss, margin } = columns;
  return [
    ...examples.filter((i) => isWrong(columns, i)).sort((a, b) => loss[b] - loss[a]),
    ...examples.filter((i) => !isWrong(columns, i)).sort((a, b) => margin[a] - margin[b]),
  ];
}
