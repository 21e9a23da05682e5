import { wrongOf, type Answers } from '../../protocol/answers/kinds';
import { tellingOrder } from '../../protocol/answers/examples';
import { EXCERPT_CHARACTERS, MOST_EXCERPTS, type Excerpt } from '../../protocol/predictions';
import type { TaskKind } from '../../tasks/kind';
import type { DataSplit } from '../../tasks/task-data';

/** The beginnings of the most informative texts. */
export const excerptsOf = ({ rows, dataset }: DataSplit, answers: Answers): Excerpt[] =>
  tellingOrder(answers.columns, wrongOf(answers))
    .slice(0, MOST_EXCERPTS)
    .map((example) => {
      const { text, pair, choices } = rows.at(dataset.examples.at(example)!.row)!;
      return {
        example,
        text: excerpt(text),
        // Written answers come with the answer in the data.
        ...(answers.answer !== 'written' && { pair: pair && excerpt(pair) }),
        ...(choices && { choices: choices.map(excerpt) }),
      };
    });

/** Pictures stored with the predictions, which a page gets in one message. */
const MOST_PICTURES = 500;

/** Excerpts with pictures of the first ones, where examples are images. */
export async function withPictures(
  excerpts: readonly Excerpt[],
  { examples }: DataSplit['dataset'],
  pictureOf: TaskKind['thumbnail'],
): Promise<Excerpt[]> {
  if (!pictureOf) return [...excerpts];
  const pictured: Excerpt[] = [];
  for (const excerpt of excerpts) {
    const thumbnail =
      pictured.length < MOST_PICTURES ? await pictureOf(examples.at(excerpt.example)!) : undefined;
    pictured.push({ ...excerpt, thumbnail });
  }
  return pictured;
}

/** On one line; "…" marks omitted parts. */
export function excerpt(text: string): string {
  // Looks at no more of a long text than may be shown, apart from white space.
  const line = text
    .slice(0, 8 * EXCERPT_CHARACTERS)
    .replace(/\s+/g, ' ')
    .trim();
  if (line.length <= EXCERPT_CHARACTERS && text.length <= 8 * EXCERPT_CHARACTERS) return line;
  // A character beyond the first 65,536 takes two units; half of one is invalid.
  return `${line.slice(0, EXCERPT_CHARACTERS - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
