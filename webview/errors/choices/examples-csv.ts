import { examplesCsv } from '../examples-csv';
import type { ChoiceModel } from '../model';

/** Choices are named by their text where it is stored, otherwise by their number; shares are separated by "; ". */
export function choiceCsv(model: ChoiceModel, examples: readonly number[]): string {
  const { columns: c, texts } = model;
  const named = (example: number, choice: number) =>
    choice === c.choices[example] ? '' : (texts.get(example)?.choices?.[choice] ?? choice + 1);
  return examplesCsv(model, examples, ['answer', 'predicted', 'probabilities', 'loss', 'margin'], (i) => [
    named(i, c.label[i]),
    named(i, c.predicted[i]),
    (model.sharesOf(i) ?? []).join('; '),
    c.loss[i],
    c.margin[i],
  ]);
}
