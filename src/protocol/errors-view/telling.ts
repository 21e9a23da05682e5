import type { Columns } from '../predictions';

export const isWrong = ({ label, predicted }: Columns, example: number): boolean =>
  label[example] !== predicted[example];

/** Examples, those that say most about a model first: wrong ones by their loss, then right ones by how narrow it was. */
export function tellingOrder(columns: Columns): number[] {
  const examples = [...columns.label.keys()];
  const { loss, margin } = columns;
  return [
    ...examples.filter((i) => isWrong(columns, i)).sort((a, b) => loss[b] - loss[a]),
    ...examples.filter((i) => !isWrong(columns, i)).sort((a, b) => margin[a] - margin[b]),
  ];
}
