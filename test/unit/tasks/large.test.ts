import { existsSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { findDuplicates, audited } from '../../../src/data/audit';
import { answeredOf, sizesOf } from '../../../src/data/dataset';
import { epochOrder, evaluationOrder } from '../../../src/data/row-order';
import type { ChoiceText } from '../../../src/tasks/choice-text';
import { taskKind } from '../../../src/tasks/task-registry';
import { exampleColumns } from '../../../src/tasks/answers';
import { modelInputs, type DataSplit } from '../../../src/tasks/task-data';
import type { TaskName } from '../../../src/experiment/tasks/registry';
import { taskLab, textModel } from './lab';
import { large, ownCache } from './large';

const cache = ownCache();

const words = ['the', 'cats', 'play', 'played', '!', 'low', 'unaffable', 'hello'];
const textAt = (i: number) =>
  Array.from({ length: 1 + ((i * 5) % 17) }, (_, k) => words[(i * 3 + k * k) % words.length]).join(' ');
const COUNT = 60;
const rowsOf = (more: (i: number) => object) =>
  Array.from({ length: COUNT }, (_, i) => `${JSON.stringify({ text: textAt(i % 50), ...more(i) })}\n`).join(
    '',
  );

/** Examples, with what functions of theirs make: the sequences of questions. */
const examplesOf = ({ dataset }: DataSplit) =>
  dataset.examples.map((example) => ({
    ...example,
    ...('sequences' in example && { sequences: (example as unknown as ChoiceText).sequences() }),
  }));

const KINDS: [name: string, type: TaskName, content: string, data?: object][] = [
  ['labels', 'text-classification', rowsOf((i) => ({ label: `l${(i * 7) % 4}` }))],
  [
    'pairs',
    'text-classification',
    rowsOf((i) => ({ label: i % 3, other: textAt((i % 50) + 1) })),
    { textPairColumn: 'other' },
  ],
  ['numbers', 'text-regression', rowsOf((i) => ({ label: (i % 9) / 4 }))],
  [
    'label sets',
    'multi-label-classification',
    rowsOf((i) => ({ labels: i % 6 ? [`a${i % 2}`, `b${i % 3}`] : [] })),
  ],
  [
    'completions',
    'causal-language-modeling',
    rowsOf((i) => ({ answer: textAt(i + 3) })),
    { completionColumn: 'answer', onBadRow: 'skip' },
  ],
  ['texts', 'causal-language-modeling', rowsOf(() => ({}))],
  [
    'choices',
    'multiple-choice',
    rowsOf((i) => ({ choices: words.slice(0, 2 + ((i % 50) % 3)), answer: i % 2 })),
    { textColumn: 'text', choicesColumn: 'choices', promptTemplate: '{text}' },
  ],
  ['masked texts', 'masked-language-modeling', rowsOf(() => ({}))],
];

describe.each(KINDS)('large data with %s', (name, type, content, columns = {}) => {
  const { write, spec } = taskLab(type);
  const kind = taskKind({ type });
  const train = write(`${name}.jsonl`, content);
  const experiment = spec({ train, validationFraction: 0.3, ...columns });
  const load = async () => {
    const memory = await kind.load(experiment, textModel);
    return { memory, disk: await large(() => kind.load(experiment, textModel)) };
  };

  it('have the examples, facts and order that they have in memory', async () => {
    const { memory, disk } = await load();
    const told = ({ labels, scale, warnings }: typeof memory) => [labels, scale, warnings];
    expect(told(disk)).toEqual(told(memory));
    expect(kind.baseline(disk)).toEqual(kind.baseline(memory));
    for (const side of ['train', 'validation'] as const) {
      const [a, b]: DataSplit[] = [memory[side], disk[side]];
      expect(Array.isArray(b.dataset.examples)).toBe(false);
      expect(examplesOf(b)).toEqual(examplesOf(a));
      expect([...b.rows]).toEqual([...a.rows]);
      expect(Array.from(sizesOf(b.dataset))).toEqual(Array.from(sizesOf(a.dataset)));
      expect(kind.facts(b.dataset.examples, disk)).toEqual(kind.facts(a.dataset.examples, memory));
      expect(exampleColumns(b)).toEqual(exampleColumns(a));
      expect(b.dataset.truncatedCount).toBe(a.dataset.truncatedCount);
      expect(a.dataset.truncatedCount).toBeGreaterThan(0);
      const known = [...a.dataset.examples] as unknown as Record<string, unknown>[];
      [...answeredOf(b.dataset.examples)].forEach((answer, i) => expect(known[i]).toMatchObject(answer));
      const order = { seed: 3, epoch: 1, batchSize: 4, groupByLength: true };
      expect(epochOrder(b.dataset, order)).toEqual(epochOrder(a.dataset, order));
      expect(evaluationOrder(b.dataset, 4)).toEqual(evaluationOrder(a.dataset, 4));
      if (kind.pack)
        expect([...kind.pack(b.dataset, experiment).examples]).toEqual([
          ...kind.pack(a.dataset, experiment).examples,
        ]);
      const wanted = modelInputs(textModel);
      const pass = { seed: 1, epoch: 2 };
      expect(await kind.inputs(b.dataset, [3, 1], wanted, 12, pass)).toEqual(
        await kind.inputs(a.dataset, [3, 1], wanted, 12, pass),
      );
    }
    const duplicates = ({ train: t, validation: v }: typeof memory) =>
      findDuplicates(audited(t.rows), audited(v.rows));
    expect(duplicates(disk)).toEqual(duplicates(memory));
    // Most rows with completions are too long, and left out.
    const { withinTrain, acrossSplits } = duplicates(disk);
    expect(withinTrain + acrossSplits.count > 0).toBe(name !== 'completions');
  });

  it('are evaluated and shown as in memory', async () => {
    const { memory, disk } = await load();
    const again = await large(() => kind.loadValidation(experiment, textModel, disk));
    expect(examplesOf(again.validation)).toEqual(examplesOf(memory.validation));
    const kept = join(cache, 'aurora-lab/rows');
    const indices = () => (existsSync(kept) ? readdirSync(kept).length : 0);
    const before = indices();
    const copy = write(`copy of ${name}.jsonl`, content);
    utimesSync(copy, 1, 1);
    await wait(100);
    const named = spec({ train: copy, validation: copy, ...columns });
    const copied = await large(() => kind.load(named, textModel));
    expect(copied.train.dataset.examples.length).toBe(COUNT - copied.train.skipped.length);
    // Both splits, as well as the shares of a file of the same content, have one index.
    expect(indices() - before).toBeLessThanOrEqual(1);
    const samples = await large(() => kind.samples(experiment, disk));
    expect([...samples]).toEqual([...(await kind.samples(experiment, memory))]);
    expect(await kind.shown(disk, disk.validation, 2)).toEqual(
      await kind.shown(memory, memory.validation, 2),
    );
  });
});
