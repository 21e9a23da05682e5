/** Some words that are one entity. */
export interface WordSpan {
  /** Word positions; the end is exclusive. */
  start: number;
  end: number;
  type: string;
}

type Mark = 'B' | 'I' | 'E' | 'S' | 'O';

/** IOBES and BILOU letters as one set. */
const MARKS: Readonly<Record<string, Mark>> = { B: 'B', I: 'I', E: 'E', S: 'S', L: 'E', U: 'S' };

/** The type of spans whose tags are only letters, as in seqeval. */
const NO_TYPE = '_';

/** A tag without a prefix, such as a part of speech, marks a span of that type. */
function parseTag(tag: string): { mark: Mark; type: string } {
  if (tag === 'O') return { mark: 'O', type: '' };
  const [, letter, type] = /^([BIESLU])(?:-(.*))?$/s.exec(tag) ?? [];
  return letter === undefined ? { mark: 'I', type: tag } : { mark: MARKS[letter], type: type || NO_TYPE };
}

/** The type of the spans that a tag is part of; undefined for O. */
export const typeOf = (tag: string): string | undefined => (tag === 'O' ? undefined : parseTag(tag).type);

/**
 * The entities that tags mark, in IOB2, IOB1, IOBES or BILOU. Tags that break the scheme count as in seqeval's default
 * mode, which is that of the CoNLL-2000 script conlleval: an I without a B before it starts an entity.
 */
export function spansOf(tags: readonly string[]): WordSpan[] {
  const spans: WordSpan[] = [];
  let before: { mark: Mark; type: string } = { mark: 'O', type: '' };
  let open: WordSpan | undefined;
  [...tags, 'O'].forEach((tag, i) => {
    const now = parseTag(tag);
    if (open && ends(before, now)) {
      spans.push({ ...open, end: i });
      open = undefined;
    }
    if (now.mark !== 'O' && starts(before, now)) open = { start: i, end: i, type: now.type };
    before = now;
  });
  return spans;
}

type Parsed = ReturnType<typeof parseTag>;

/** seqeval.metrics.sequence_labeling.end_of_chunk */
const ends = (before: Parsed, now: Parsed): boolean =>
  before.mark === 'E' ||
  before.mark === 'S' ||
  now.mark === 'B' ||
  now.mark === 'S' ||
  now.mark === 'O' ||
  before.type !== now.type;

/** seqeval.metrics.sequence_labeling.start_of_chunk */
const starts = (before: Parsed, now: Parsed): boolean =>
  now.mark === 'B' ||
  now.mark === 'S' ||
  before.mark === 'E' ||
  before.mark === 'S' ||
  before.mark === 'O' ||
  before.type !== now.type;
