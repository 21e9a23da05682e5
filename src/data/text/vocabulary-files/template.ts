import type { Json } from '../json-file';
import type { ClassSource } from './tokenizer-class';

/** A special token, or one of the two texts, in its place. */
type Place = [token: string, id: number] | 'A' | 'B';

/** Tokens, texts and the segments that they belong to. */
type Places = readonly (readonly [Place, segment: number])[];

/** A post-processor that puts special tokens around one text, and around two. */
export function template(single: Places, pair: Places): Json {
  const tokens = [...single, ...pair].flatMap(([place]) => (typeof place === 'string' ? [] : [place]));
  const written = (places: Places) =>
    places.map(([place, type_id]) =>
      typeof place === 'string'
        ? { Sequence: { id: place, type_id } }
        : { SpecialToken: { id: place[0], type_id } },
    );
  return {
    type: 'TemplateProcessing',
    single: written(single),
    pair: written(pair),
    special_tokens: Object.fromEntries(
      tokens.map(([token, id]) => [token, { id: token, ids: [id], tokens: [token] }]),
    ),
  };
}

/** BERT's: [CLS] A [SEP] and [CLS] A [SEP] B [SEP], with one or several [SEP] between two texts. */
export function classAndSeparator({ special }: ClassSource, between = 1): Json {
  const [cls, sep] = [special('cls'), special('sep')];
  const first = (separators: number): Places => [
    [cls, 0],
    ['A', 0],
    ...Array.from({ length: separators }, () => [sep, 0] as const),
  ];
  return template(first(1), [...first(between), ['B', 1], [sep, 1]]);
}
