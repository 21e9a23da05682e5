import type { Examples, TextDataset } from '../../data/dataset';
import { sizesOf } from '../../data/dataset';
import { MadeList } from '../../data/list';
import { packRows } from '../../data/packing';
import type { LanguageText } from './language-text';

/** Rows of several texts, each made of its texts when it is asked for. */
class PackedTexts extends MadeList<LanguageText> implements Examples<LanguageText> {
  readonly sizes: Int32Array;

  /** @param rows the texts of each */
  constructor(
    private readonly texts: Examples<LanguageText>,
    sizes: ArrayLike<number>,
    private readonly rows: readonly (readonly number[])[],
  ) {
    super();
    this.sizes = Int32Array.from(rows, (row) => row.reduce((sum, text) => sum + sizes[text]!, 0));
  }

  get length(): number {
    return this.rows.length;
  }

  at(index: number): LanguageText | undefined {
    const texts = this.rows[index]?.map((text) => this.texts.at(text)!);
    if (!texts) return undefined;
    const size = this.sizes[index]!;
    const [ids, targets, begins] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)];
    let at = 0;
    for (const text of texts) {
      ids.set(text.ids, at);
      targets.set(text.targets, at);
      begins.fill(at, at, at + text.size);
      at += text.size;
    }
    return { size, ids, targets, begins, texts: texts.length, row: texts[0]!.row };
  }
}

/**
 * Texts as rows of at most `capacity` tokens. A text's first token is never a target, so none is predicted from the text
 * before.
 */
export function packedTexts(
  dataset: TextDataset<LanguageText>,
  capacity: number,
  seed: number,
): TextDataset<LanguageText> {
  const sizes = sizesOf(dataset);
  const rows = packRows(sizes, capacity, seed);
  return { ...dataset, examples: new PackedTexts(dataset.examples, sizes, rows) };
}
