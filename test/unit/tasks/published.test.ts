import { describe, expect, it } from 'vitest';
import type { TaskName } from '../../../src/experiment/tasks/registry';
import { loadEvaluationSets } from '../../../src/training/task/evaluation-data';
import { taskKind } from '../../../src/tasks/task-registry';
import { rejection } from '../data/support';
import { quoted, writeParquet } from '../data/table/duckdb';
import { taskLab, textModel } from './lab';
import { large, ownCache } from './large';

ownCache();

const KINDS: [TaskName, labels: number[]][] = [
  ['text-regression', [2.5, 0, 4, -1]],
  ['text-classification', [0, 1, 0, 1]],
  ['multi-label-classification', [0, 1, 0, 1]],
];

describe.each(KINDS)('a set of %s without published answers', (type, labels) => {
  const { path, write, spec } = taskLab(type);
  const kind = taskKind({ type });
  const content = (answers: readonly number[]) =>
    answers.map((label) => `${JSON.stringify({ text: 'the cats', label, labels: [label] })}\n`).join('');
  const train = write('train.jsonl', content(labels));
  const hidden = write('hidden.jsonl', content([-1, -1, -1]));
  const problem =
    'hidden.jsonl: the answer of every row is -1, which stands for an answer that is not published';

  it.each(['fail', 'skip'])('is refused, with onBadRow %s, from memory and from disk', async (onBadRow) => {
    const experiment = spec({ train, validation: train, test: hidden, onBadRow });
    const score = () => loadEvaluationSets(experiment, textModel, { labels: labels.map(String) });
    expect(await rejection('labels', score())).toContain(problem);
    expect(await rejection('labels', large(score))).toContain(problem);
    const validated = spec({ train, validation: hidden, onBadRow });
    expect(await rejection('labels', kind.load(validated, textModel))).toContain(problem);
  });

  it('is read if a single answer is another', async () => {
    const file = write('some.jsonl', content([-1, labels[0]]));
    const experiment = spec({ train, validation: file, onBadRow: 'skip' });
    const { validation } = await kind.load(experiment, textModel);
    expect(validation.dataset.examples).toHaveLength(type === 'text-regression' ? 2 : 1);
  });

  it.runIf(type !== 'multi-label-classification')('is refused as the hub distributes it', async () => {
    const features = { label: { dtype: 'float32', _type: 'Value' } };
    const file = `${path}/test-00000-of-00001.parquet`;
    await writeParquet(
      file,
      `select * from (values ('the cats', -1::float), ('the cat', -1::float)) t(text, label)`,
      `kv_metadata {huggingface: ${quoted(JSON.stringify({ info: { features } }))}}`,
    );
    const experiment = spec({ train, validation: train, test: file });
    const score = loadEvaluationSets(experiment, textModel, { labels: labels.map(String) });
    expect(await rejection('labels', score)).toContain('not published');
  });
});

describe('labels of which one is -1', () => {
  it('are published', async () => {
    const { write, spec } = taskLab('text-classification');
    const rows = (labels: number[]) => `text,label\n${labels.map((label) => `the cats,${label}\n`).join('')}`;
    const [train, test] = [write('train.csv', rows([-1, 1])), write('test.csv', rows([-1, -1]))];
    const experiment = spec({ train, validation: train, test });
    const [set] = await loadEvaluationSets(experiment, textModel, { labels: ['-1', '1'] });
    expect(set.data.validation.dataset.examples).toHaveLength(2);
  });
});
