import { WRITTEN_CHARACTERS, type WrittenAnswers, writtenColumns } from '../protocol/answers/written';
import type { Outputs } from '../protocol/outputs';
import { exampleColumns, rounded } from './answers';
import type { DataSplit } from './task-data';
import { judged, tokenOutcomes, writtenIn, type WrittenText, writtenTokens } from './text/written-text';

/** @param kept of each example, in data order; an answer that was not written is empty */
export function writtenPredictions(
  split: DataSplit<WrittenText>,
  _: Outputs,
  kept: readonly Float32Array[],
): WrittenAnswers {
  const { examples } = split.dataset;
  const scorings = examples.at(0)?.format.scorings ?? [];
  const all = examples.map((example, i) => {
    const text = writtenIn(example, kept[i]) ?? '';
    return {
      ...tokenOutcomes(example, kept[i]),
      text,
      written: writtenTokens(example, kept[i])?.length ?? 0,
      outcomes: judged(example, text),
    };
  });
  return {
    answer: 'written',
    labels: [],
    columns: writtenColumns({
      ...exampleColumns(split),
      loss: all.map(({ loss }) => rounded(loss)),
      margin: all.map(() => 0),
      answered: all.map(({ answered }) => answered),
      right: all.map(({ right }) => right),
      written: all.map(({ written }) => written),
    }),
    texts: all.map(({ text }) => shortened(text)),
    references: examples.map(({ reference }) => shortened(reference)),
    judged: scorings.map((scoring, s) => {
      const own = all.map(({ outcomes }) => outcomes[s]);
      return {
        scoring,
        right: own.map(({ right }) => Number(right)),
        reference: own.map(({ reference }) => (reference === undefined ? null : shortened(reference))),
        written: own.map(({ written }) => (written === undefined ? null : shortened(written))),
      };
    }),
  };
}

/** A long text without its middle: its end often has the answer. */
function shortened(text: string): string {
  if (text.length <= WRITTEN_CHARACTERS) return text;
  const half = WRITTEN_CHARACTERS / 2;
  const start = text.slice(0, half).replace(/[\ud800-\udbff]$/, '');
  return `${start} … ${text.slice(-half).replace(/^[\udc00-\udfff]/, '')}`;
}
