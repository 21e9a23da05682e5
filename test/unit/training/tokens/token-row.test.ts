import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lengthOf } from '../../../../src/data/batch';
import { epochOrder } from '../../../../src/data/row-order';
import type { TextExample } from '../../../../src/data/dataset';
import { openTask } from '../../../../src/engine/open-task';
import type { HostTensors } from '../../../../src/engine/stepper';
import { ownTokens } from '../../../../src/protocol/reports/tokens-report';
import type { TokenRow } from '../../../../src/protocol/tokens';
import { LABELS } from '../../../../src/tasks/task-graph';
import { initialParameters, prepareTask, type Task } from '../../../../src/training/task/task';
import { tokenRow } from '../../../../src/training/tokens/token-row';
import { CASES, tokenLab, type TokenCase } from './token-lab';

const IGNORED = -100;

/** The first epoch's batches, as the trainer feeds them. */
async function firstEpoch(task: Task) {
  const { training } = task.spec;
  const order = epochOrder(task.trainingSet, { ...training, epoch: 0 });
  return Promise.all(
    order.map(async (indices) => ({
      indices,
      length: lengthOf(task.trainingSet, indices),
      feeds: await task.feeds(task.trainingSet, indices, undefined, { seed: training.seed, epoch: 0 }),
    })),
  );
}

/** The part of a tensor that belongs to one example of a batch. */
function partOf(feeds: HostTensors, name: string, place: number): number[] {
  const { dims, data } = feeds[name]!;
  const size = data.length / dims[0]!;
  return Array.from(data as ArrayLike<number | bigint>, Number).slice(place * size, (place + 1) * size);
}

/** The sum of weights that the loss of a batch counts, from the graph that trains. */
async function countOf(task: Task, folder: string, feeds: HostTensors): Promise<number> {
  const { model, infos, graph } = task;
  const place = { engine: 'onnxruntime', device: 'cpu' } as const;
  const { stepper } = await openTask(model, infos, graph, join(folder, 'graph'), { place });
  try {
    return (await stepper.step(feeds, initialParameters(task), 1)).count;
  } finally {
    await stepper.dispose();
  }
}

describe.each(Object.entries(CASES))('%s', async (_, c: TokenCase) => {
  const { lab, spec } = tokenLab(c);
  afterAll(() => lab.remove());
  const task = await prepareTask(spec, lab.folder);
  const batches = await firstEpoch(task);
  const rows = await Promise.all(
    c.rows.map((_row, i) => tokenRow(spec, { row: String(i + 1), split: 'train' })),
  );
  const examples = task.trainingSet.examples.map((e) => e as TextExample);
  /** The place of a row in the batches. */
  const placeOf = (row: number) => {
    const example = examples.findIndex((e) => (e.textRows ?? [e.row]).includes(row));
    const batch = batches.find(({ indices }) => indices.includes(example))!;
    return { example, batch, place: batch.indices.indexOf(example) };
  };

  it('has the tokens, the answers and the padding of the batch that trains', () => {
    const perToken = batches[0]!.feeds[LABELS]!.dims.length === 2 && c.type !== 'multi-label-classification';
    const ahead = ['causal-language-modeling', 'multiple-choice'].includes(c.type) ? 1 : 0;
    rows.forEach((row, i) => {
      const { example, batch, place } = placeOf(i);
      const { size } = examples[example]!;
      const ids = partOf(batch.feeds, 'input_ids', place);
      expect(row.tokens.map(({ id }) => id)).toEqual(ids.slice(0, size));
      expect(row.batch).toMatchObject({ length: batch.length, examples: batch.indices.length });
      expect(row.perToken).toBe(perToken);
      if (!perToken) return expect(row.tokens.some(({ counts }) => counts)).toBe(false);
      const labels = partOf(batch.feeds, LABELS, place);
      // Nothing in the padding, nor the first token of a text that is continued.
      expect(labels.slice(size).every((label) => label === IGNORED)).toBe(true);
      const counting = labels.slice(0, size).map((label, at) => at >= ahead && label !== IGNORED);
      expect(row.tokens.map(({ counts = false }) => counts)).toEqual(counting);
      expect(counting).toContain(true);
    });
  });

  it('counts what the loss of a step counts', async () => {
    const { feeds, indices } = batches[0]!;
    const among = rows.filter((_row, i) => indices.includes(placeOf(i).example));
    const weightOf = (row: TokenRow): number => {
      if (c.type === 'multi-label-classification') return task.data.labels.length;
      if (!row.perToken) return row.weight ?? 1;
      return ownTokens(row).reduce((n, t) => n + (t.counts ? (t.weight ?? 1) : 0), 0);
    };
    const sum = among.reduce((n, row) => n + weightOf(row), 0);
    expect(await countOf(task, lab.folder, feeds)).toBeCloseTo(sum, 4);
  });

  it('is the same whether its batch is read or not', async () => {
    if (spec.training.packing) return;
    const [first] = rows;
    const validation = await tokenRow(spec, { row: first!.name, split: 'validation' });
    expect(validation.split).toBe('validation');
    if (c.type === 'masked-language-modeling') return;
    expect(validation.tokens.map(({ id }) => id)).toEqual(first!.tokens.map(({ id }) => id));
  });
});

describe('answers', () => {
  const shown = async (name: string, row: string, change: Partial<TokenCase> = {}) => {
    const { lab, spec } = tokenLab({ ...CASES[name]!, ...change });
    try {
      return await tokenRow(spec, { row });
    } finally {
      lab.remove();
    }
  };

  it('are a label, a number or several labels for a text as a whole', async () => {
    expect(await shown('labels of texts, with class weights', '1')).toMatchObject({
      perToken: false,
      label: 'pets',
      // 5 examples, 2 classes, 3 of this one.
      weight: Math.fround(5 / 6),
    });
    expect(await shown('numbers', '2')).toMatchObject({ label: '2.5' });
    expect(await shown('several labels', '1')).toMatchObject({ label: 'pets, short' });
    expect(await shown('several labels', '3')).toMatchObject({ label: '' });
  });

  it('are the tag of a word, on its first token, with the weight of its class', async () => {
    const { tokens } = await shown('tags of words, with class weights', '2');
    expect(tokens.map(({ text, label, weight }) => [text, label, weight])).toEqual([
      ['[CLS]', undefined, undefined],
      [' un', 'O', undefined],
      ['aff', undefined, undefined],
      ['able', undefined, undefined],
      [' cats', 'B-PET', 3],
      [' play', 'O', undefined],
      ['ed', undefined, undefined],
      [' [SEP]', undefined, undefined],
    ]);
  });

  it('are the hidden tokens of a masked text, which differ between epochs', async () => {
    const row = await shown('masked tokens', '1');
    const counting = row.tokens.filter(({ counts }) => counts);
    expect(row.varies).toBe(true);
    expect(counting).toHaveLength(1);
    const [{ text, label, id }] = counting as [(typeof counting)[0]];
    // It is read as the mask, as another token, or as itself.
    expect(label === undefined ? text!.trim() : label).toMatch(/^(the|cats|play|##ed|ed|!)$/);
    if (label !== undefined) expect(id === 4 || text!.trim() !== label).toBe(true);
  });
});

describe('truncation', () => {
  const cutOf = async (name: string, row: string) => {
    const { lab, spec } = tokenLab(CASES[name]!);
    try {
      const found = await tokenRow(spec, { row });
      const whole = await tokenRow({ ...spec, model: { ...spec.model, maxLength: 96 } }, { row });
      return { found, whole };
    } finally {
      lab.remove();
    }
  };
  /** The tokens as they were before they were cut. */
  const restored = ({ tokens, cut }: TokenRow): number[] => {
    const all = tokens.map(({ id }) => id);
    for (const run of cut.toReversed()) all.splice(run.at, 0, ...run.tokens.map(({ id }) => id));
    return all;
  };

  it.each([
    ['labels of texts, with class weights', '2'],
    ['pairs of texts', '2'],
    ['pairs of texts', '3'],
    ['tags of words, with class weights', '2'],
    ['whole texts', '2'],
    ['completions of prompts', '2'],
    ['conversations', '2'],
    ['choices', '2'],
  ])('of %s, row %s, shows exactly what is cut off, and what of it would count', async (name, row) => {
    const { found, whole } = await cutOf(name, row);
    expect(found.cut.length).toBeGreaterThan(0);
    expect(restored(found)).toEqual(whole.tokens.map(({ id }) => id));
    expect(found.cutMore).toBeUndefined();
    const count = (tokens: TokenRow['tokens']) => tokens.filter(({ counts }) => counts).length;
    const cutCounting = found.cut.reduce((n, { counting }) => n + counting, 0);
    expect(count(found.tokens) + cutCounting).toBe(count(whole.tokens));
  });
});

describe('a row in which nothing counts', () => {
  it('is shown with the reason, whether training would stop at it or skip it', async () => {
    const c: TokenCase = { ...CASES['completions of prompts']!, maxLength: 6 };
    const rows = [...c.rows, { text: 'a prompt that fills everything', answer: ' yes' }];
    const { lab, spec } = tokenLab({ ...c, rows });
    try {
      const row = await tokenRow(spec, { row: '4' });
      expect(row.leftOut).toEqual({
        reason: 'no token of the answer is left within model.maxLength',
        fails: true,
      });
      expect(row.tokens).toHaveLength(6);
      expect(row.tokens.some(({ counts }) => counts)).toBe(false);
      expect(row.cut[0]!.counting).toBeGreaterThan(0);
      // As training says.
      await expect(prepareTask(spec, lab.folder)).rejects.toMatchObject({
        hint: '`aurora tokens` shows what of the row counts. Raise model.maxLength, or set data.onBadRow to "skip" to train without such rows.',
      });
      const skipping = { ...spec, data: { ...spec.data, onBadRow: 'skip' as const } };
      expect((await tokenRow(skipping, { row: '4' })).leftOut).toMatchObject({ fails: false });
      expect((await tokenRow(skipping, { row: '3' })).next).toBe('4');
    } finally {
      lab.remove();
    }
  });
});

describe('a row beside others that cannot be used', () => {
  it('is shown without its batch', async () => {
    const c = CASES['completions of prompts']!;
    const validation = [{ text: 'a prompt that fills everything', answer: ' yes' }];
    const { lab, spec } = tokenLab({ ...c, validation });
    try {
      const row = await tokenRow(spec, { row: '1' });
      expect(row.batch).toBeUndefined();
      expect(row.tokens.filter(({ counts }) => counts).length).toBeGreaterThan(0);
      await expect(tokenRow(spec, { row: '1', batch: true })).rejects.toThrow('its only row was skipped');
    } finally {
      lab.remove();
    }
  });
});

describe('a row of many', () => {
  it.each([
    'labels of texts, with class weights',
    'several labels',
    'tags of words, with class weights',
    'masked tokens',
    'completions of prompts',
    'choices',
  ])('has the same tokens and answers without its batch: %s', async (name) => {
    const c = CASES[name]!;
    const rows = Array.from({ length: 2100 }, (_, i) => c.rows[i % c.rows.length]!);
    const { lab, spec } = tokenLab({ ...c, rows, validation: c.rows });
    try {
      const alone = await tokenRow(spec, { row: '1502' });
      const { batch, ...row } = await tokenRow(spec, { row: '1502', batch: true });
      expect(batch!.step).toBeGreaterThan(0);
      // Balanced weights are counted in all texts anyway.
      expect(alone.batch).toEqual(spec.task.classWeights === 'balanced' ? batch : undefined);
      expect({ ...alone, batch: undefined }).toEqual({ ...row, batch: undefined });
    } finally {
      lab.remove();
    }
  });
});

describe('packing', () => {
  it('shows the texts of a row with their borders, and where the asked one is', async () => {
    const { lab, spec } = tokenLab(CASES['packed texts']!);
    try {
      const row = await tokenRow(spec, { row: '4' });
      const { texts, own } = row.packed!;
      expect(texts.length).toBeGreaterThan(1);
      expect(own).toBeGreaterThan(0);
      expect(texts[own]!.name).toBe('4');
      texts.forEach(({ begin, size }, i) => {
        expect(begin).toBe(texts.slice(0, i).reduce((n, text) => n + text.size, 0));
        // The first token of a text is predicted from none before it.
        expect(row.tokens[begin]!.counts).toBeUndefined();
        expect(size).toBeGreaterThan(1);
      });
      expect(
        ownTokens(row)
          .map(({ text }) => text)
          .join(''),
      ).toBe('g ok<|endoftext|>');
    } finally {
      lab.remove();
    }
  });
});

describe('tasks without texts', () => {
  it('are refused by name', async () => {
    const { lab, spec } = tokenLab(CASES.numbers!);
    try {
      const images = { ...spec, task: { ...spec.task, type: 'image-classification' as const } };
      await expect(tokenRow(images, {})).rejects.toThrow(/image classification/);
    } finally {
      lab.remove();
    }
  });
});
