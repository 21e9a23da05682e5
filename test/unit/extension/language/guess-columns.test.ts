import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeTask, type TaskName } from '../../../../src/experiment/tasks/registry';
import { readDataHead } from '../../../../src/extension/language/data-head';
import { choiceColumns, guessFor, isIdentifier } from '../../../../src/extension/language/guess-columns';
import { labelColumns } from '../../../../src/extension/wizard/label-columns';
import { makeFolder } from './lab';

const guess = async (task: TaskName, name: string, content: string) =>
  guessFor((await readDataHead(join(makeFolder({ [name]: content }), name)))!, describeTask(task));
const jsonl = (...rows: object[]) => rows.map((r) => JSON.stringify(r)).join('\n');

describe('a column', () => {
  it.each([
    ['id', ['a', 'a'], true],
    ['package_id', ['libfoo-dev', 'libbar'], true],
    ['exampleId', ['x', 'y'], true],
    ['stars', ['1', '2.5'], true],
    ['package', ['libfoo-dev', 'libbar2'], true],
    ['when', ['2031-02-03', '2031-02-04'], true],
    ['word', ['cat', 'dog'], false],
    ['Hypothesis', ['A man sleeps.', 'A man eats.'], false],
    ['key', ['what is the key of it', 'C major'], false],
    ['label', ['a-b', 'a-b'], false],
    ['empty', [], false],
  ])('%s with %j says which row it is: %s', (name, values, is) =>
    expect(isIdentifier({ name, values })).toBe(is),
  );
});

describe('the likely columns', () => {
  it('of pairs are those of GLUE, SNLI and others, also beside a text', async () => {
    const of = (columns: string) =>
      guess(
        'text-classification',
        'a.tsv',
        `${columns.replaceAll(',', '\t')}\n${'some words\t'.repeat(3)}0\n`,
      );
    expect(await of('index,sentence1,sentence2,label')).toEqual({
      text: 'sentence1',
      pair: 'sentence2',
      label: 'label',
    });
    expect(await of('Premise,Hypothesis,id,label')).toMatchObject({ text: 'Premise', pair: 'Hypothesis' });
    expect(await of('text,question,sentence,label')).toMatchObject({ text: 'question', pair: 'sentence' });
    expect(await of('text,premise,other,label')).toEqual({ text: 'text', label: 'label' });
  });

  it('of numbers are numeric, with decimals rather than identifiers', async () => {
    const of = (csv: string) => guess('text-regression', 'a.csv', csv);
    expect(await of('id,sentence1,sentence2,score\n1,a b,c d,3.8\n2,e f,g h,1\n')).toEqual({
      text: 'sentence1',
      pair: 'sentence2',
      label: 'score',
    });
    expect(await of('id,review,stars given\n1,long enough,3.5\n2,also long,1\n')).toEqual({
      text: 'review',
      label: 'stars given',
    });
    expect(await of('text,label\nlong enough,good\n')).toEqual({ text: 'text' });
  });

  it('of several labels are a list, a field by name, or columns of 0 and 1', async () => {
    const kind = 'multi-label-classification';
    const row = { text: 'a text', topics: ['x', 'y'], n: 1 };
    expect(await guess(kind, 'a.jsonl', jsonl(row, row))).toEqual({ text: 'text', label: 'topics' });
    expect(await guess(kind, 'a.csv', 'text,labels\na text,"x, y"\n')).toEqual({
      text: 'text',
      label: 'labels',
    });
    expect(await guess(kind, 'a.csv', 'id,text,toxic,threat\n7,a text,1,0\n8,b text,0,0\n')).toEqual({
      text: 'text',
      labels: ['toxic', 'threat'],
    });
  });

  it('of tags are lists, by name or by order', async () => {
    const kind = 'token-classification';
    expect(await guess(kind, 'a.conll', 'EU NNP B-ORG\n')).toEqual({ text: 'tokens', label: 'tags' });
    const row = { id: 'x', words: ['a', 'b'], pos: ['D', 'N'], ner_tags: ['O', 'O'] };
    expect(await guess(kind, 'a.jsonl', jsonl(row))).toEqual({ text: 'words', label: 'ner_tags' });
    const other = { id: 'x', w: ['a', 'b'], t: ['O', 'O'] };
    expect(await guess(kind, 'a.jsonl', jsonl(other))).toEqual({ text: 'w', label: 't' });
  });

  it('of a language model are conversations, prompts with completions, or texts', async () => {
    const kind = 'causal-language-modeling';
    const chat = { text: 'x', messages: [{ role: 'user', content: 'hello' }] };
    expect(await guess(kind, 'a.jsonl', jsonl(chat))).toEqual({ messages: 'messages' });
    const asked = { instruction: 'add the numbers', output: 'done', text: 'both' };
    expect(await guess(kind, 'a.jsonl', jsonl(asked))).toEqual({ text: 'instruction', completion: 'output' });
    expect(await guess(kind, 'a.csv', 'text\nlong enough\n')).toEqual({ text: 'text' });
  });

  it('of masked language models are texts', async () => {
    const asked = { instruction: 'add the numbers', output: 'done', label: 'a' };
    const kind = 'masked-language-modeling';
    expect(await guess(kind, 'a.jsonl', jsonl(asked))).toEqual({ text: 'instruction' });
  });

  it('are none where nothing fits', async () => {
    for (const task of ['text-classification', 'multi-label-classification', 'text-regression'] as const)
      expect((await guess(task, 'a.jsonl', jsonl({ a: ['x'], b: {} }))).text).toBeUndefined();
  });
});

describe('columns that are selected for several labels', () => {
  it('are one for each label, or one with all of them', () => {
    const flags = ['toxic', 'threat'];
    expect(labelColumns(['toxic', 'threat'], flags)).toEqual({ labels: ['toxic', 'threat'] });
    expect(labelColumns(['threat'], flags)).toEqual({ labels: ['threat'] });
    expect(labelColumns(['topics'], flags)).toEqual({ label: 'topics' });
    expect(labelColumns(['toxic', 'topics'], flags)).toEqual({ unlike: 'topics' });
  });

  it('of questions are those of Commonsense170K, a list of choices, or a column for each', async () => {
    const of = (...rows: object[]) => guess('multiple-choice', 'a.jsonl', jsonl(...rows));
    expect(
      await of({
        instruction: 'do cats play?',
        input: '',
        output: 'the correct answer is true',
        answer: 'true',
      }),
    ).toEqual({ text: 'instruction', completion: 'output', label: 'answer' });
    expect(await of({ id: 1, question: 'Where?', choices: ['here', 'there'], answer: 1 })).toEqual({
      text: 'question',
      choices: 'choices',
      label: 'answer',
    });
    expect(
      await of({ question: 'Where?', choices: { text: ['a', 'b'], label: ['A', 'B'] }, answerKey: 'A' }),
    ).toEqual({ text: 'question', choices: 'choices', label: 'answerKey' });
    expect(await of({ goal: 'to feed a cat', sol1: 'play', sol2: 'food', label: 1 })).toEqual({
      text: 'goal',
      choices: ['sol1', 'sol2'],
      label: 'label',
    });
    expect(await of({ text: 'a b c', section: 'net' })).toEqual({ text: 'text' });
  });

  it('of choices that are selected are told apart by their values', () => {
    const column = (name: string, ...values: string[]) => ({ name, values });
    expect(choiceColumns([column('a', 'x'), column('b', 'y')])).toEqual({ choices: ['a', 'b'] });
    expect(choiceColumns([{ ...column('a', 'x'), lists: true }])).toEqual({ choices: 'a' });
    expect(choiceColumns([column('a', '["x", "y"]')])).toEqual({ choices: 'a' });
    expect(choiceColumns([column('a')])).toEqual({ choices: 'a' });
    expect(choiceColumns([column('a', 'the correct answer is x')])).toEqual({ completion: 'a' });
  });
});
