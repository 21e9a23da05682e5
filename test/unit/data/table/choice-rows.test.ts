import { describe, expect, it } from 'vitest';
import { answerIndex, choiceRows, offeredChoices } from '../../../../src/data/table/choice-rows';
import { readRows, type ReadOptions } from '../../../../src/data/table/rows';
import { rejection, temporaryFolder } from '../support';

const { write } = temporaryFolder();
const INSTRUCTION = 'Choose.\n\nAnswer1: a cloud\n\nAnswer2: a bed\n\nAnswer format: answer1/answer2';

const TABLE = { textColumn: 'question', labelColumn: 'answer', onBadRow: 'fail' } as const;
const COMMONSENSE = { textColumn: 'instruction', completionColumn: 'output', labelColumn: 'answer' };

const rows = async (name: string, content: string, options: Partial<ReadOptions>) =>
  (await readRows(write(name, content), { ...TABLE, ...options }, choiceRows)).rows;
const row = async (value: object, options: Partial<ReadOptions>) =>
  (await rows('one.jsonl', JSON.stringify(value), options))[0];

describe('rows with choices', () => {
  it('in the layout of Commonsense170K list them in the text', async () => {
    const value = {
      instruction: INSTRUCTION,
      input: '',
      output: 'the correct answer is answer2',
      answer: 'answer2',
    };
    expect(await row(value, COMMONSENSE)).toEqual({
      text: INSTRUCTION,
      choices: ['answer1', 'answer2'],
      offered: 2,
      answer: 1,
      label: 'answer2',
      lead: 'the correct answer is ',
      line: 1,
    });
  });

  it('have them in a list, an object with names, or a JSON list of a CSV file', async () => {
    const base = { question: 'Where?', line: 1 };
    const choices = ['here', 'there'];
    const wanted = { text: 'Where?', choices, offered: 2, answer: 1, label: 'there', line: 1 };
    const options = { choicesColumn: 'choices' };
    expect(await row({ ...base, choices, answer: 1 }, options)).toEqual(wanted);
    const arc = { ...base, choices: { text: choices, label: ['1', '2'] }, answer: '2' };
    expect(await row(arc, options)).toEqual(wanted);
    const csv = 'question,choices,answer\nWhere?,"[""here"", ""there""]",B\n';
    expect(await rows('a.csv', csv, options)).toEqual([{ ...wanted, line: 2 }]);
  });

  it('have them in columns', async () => {
    const value = { goal: 'Where?', sol1: 'here', sol2: 'there', label: 0 };
    const options = { textColumn: 'goal', choiceColumns: ['sol1', 'sol2'], labelColumn: 'label' };
    expect(await row(value, options)).toEqual({
      text: 'Where?',
      choices: ['here', 'there'],
      offered: 2,
      answer: 0,
      label: 'here',
      line: 1,
    });
  });

  it.each([
    [
      { question: 'a', choices: ['b'], answer: 0 },
      /"choices" is not a list of at least two strings or numbers/,
    ],
    [{ question: 'a', choices: 'b', answer: 0 }, /"choices" is not a list/],
    [
      { question: 'a', choices: ['b', 'c'], answer: 2 },
      /"answer" is "2", which is none of the 2 choices, nor the letter or the index of one, counted from 0/,
    ],
    [{ question: 'a', choices: ['b', 'c'], answer: null }, /no "answer"/],
  ])('are bad with %j', async (value, words) => {
    const error = await rejection('data', row(value, { choicesColumn: 'choices' }));
    expect(error).toMatch(words);
    expect(error).toMatch(/one\.jsonl:1: /);
  });

  it('in the layout of Commonsense170K are bad without a format, or with another answer', async () => {
    const value = { instruction: INSTRUCTION, output: 'the correct answer is answer1', answer: 'answer2' };
    expect(await rejection('data', row(value, COMMONSENSE))).toMatch(
      /"output" does not end with "answer2", which is its "answer"/,
    );
    expect(await rejection('data', row({ ...value, instruction: 'Choose.' }, COMMONSENSE))).toMatch(
      /"instruction" does not end with its choices/,
    );
  });
});

describe('the choices that an instruction offers', () => {
  it('are those of its format, and further ones that it lists', () => {
    expect(offeredChoices('do cats play?\n\nAnswer format: true/false')).toEqual(['true', 'false']);
    expect(offeredChoices('Option1: box Option2: cat Answer format: option1/option2')).toEqual([
      'option1',
      'option2',
    ]);
    const five = 'Answer1: a Answer4: d Answer5: e\n\nAnswer format: answer1/answer2/answer3/answer4';
    expect(offeredChoices(five)).toEqual(['answer1', 'answer2', 'answer3', 'answer4', 'answer5']);
    expect(offeredChoices('Pets: A cat')).toBeUndefined();
  });
});

describe('an answer', () => {
  it('is an index, a name, a text, a letter or digits, in this order', () => {
    const choices = ['3', '1', 'A'];
    expect([0, 2, 3, 1.5, -1].map((v) => answerIndex(v, choices))).toEqual([
      0,
      2,
      undefined,
      undefined,
      undefined,
    ]);
    expect(['1', 'A', 'b', '0', 'D', '7', 'x y'].map((v) => answerIndex(v, choices))).toEqual([
      1,
      2,
      1,
      0,
      undefined,
      undefined,
      undefined,
    ]);
    expect(answerIndex('A', choices, ['A', 'B', 'C'])).toBe(0);
  });
});
