import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../src/data/text/tokenizer';
import { encodePredictions, parsePredictions, type Predictions } from '../../../src/protocol/predictions';
import { languageRows } from '../../../src/data/table/language-rows';
import { predictedTokens } from '../../../src/tasks/text/predicted-tokens';
import { answerFormat, judged, type WrittenText, writtenText } from '../../../src/tasks/text/written-text';
import { writtenLanguageModeling as kind } from '../../../src/tasks/written-language-modeling';
import { taskKind } from '../../../src/tasks/task-registry';
import { failure, rejection } from '../data/support';
import { taskLab, textModel } from './lab';

const FIXTURE = join(import.meta.dirname, '../../fixtures/playground/language');
const { spec, write } = taskLab('causal-language-modeling');
const file = (name: string) => readFileSync(join(FIXTURE, name), 'utf8');
const CHAT =
  "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + eos_token }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";
const path = write('tokenizer.json', file('tokenizer.json'));
write(
  'tokenizer_config.json',
  JSON.stringify({ ...JSON.parse(file('tokenizer_config.json')), chat_template: CHAT }),
);
const tokenizer = loadTokenizer(path);
const END = tokenizer.endId!;

const QUESTION = { prompt: 'Two and two: ', completion: 'It is #### 4' };
const lines = (rows: readonly object[]) => `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;
const train = write('train.jsonl', lines([QUESTION, { prompt: 'Two and one: ', completion: 'So #### 3.' }]));
const DATA = { train, validation: train, textColumn: 'prompt', completionColumn: 'completion' };
const experiment = (task: object = {}, data: object = {}, model: object = {}) =>
  spec(
    { ...DATA, ...data },
    {
      model: { path: 'model.onnx', tokenizer: path, maxLength: 64, ...model },
      task: { type: 'causal-language-modeling', scoring: 'exact-match', ...task },
    },
  );
const EXACT = { answers: { pattern: '#### (.+)' } };
const example = (
  task: object = EXACT,
  row: object = QUESTION,
  data: object = {},
  model: object = {},
): WrittenText => {
  const own = experiment(task, data, model);
  const read = languageRows.rowOf(new Map(Object.entries(row)), own.data);
  if ('problem' in read) throw new Error(read.problem);
  return writtenText(tokenizer, { ...read, line: 1 }, answerFormat(tokenizer, own), 0);
};
const tokensOf = (text: string) => tokenizer.encodeBare(text);

describe('an answer that a language model is to write', () => {
  it('follows the prompt, and ends with the text', () => {
    const { writing, reference } = example();
    const { prompt, maxTokens, beams, ends } = writing();
    expect(tokenizer.decode(prompt)).toBe(QUESTION.prompt);
    expect(reference).toBe(QUESTION.completion);
    expect({ maxTokens, beams, ends }).toEqual({ maxTokens: 32, beams: 1, ends: new Set([END]) });
  });

  it('follows a conversation up to its last answer, in the format of its template', () => {
    const messages = [
      { role: 'user', content: 'Two and two?' },
      { role: 'assistant', content: '4' },
      { role: 'user', content: 'And one?' },
      { role: 'assistant', content: '5' },
    ];
    const columns = { textColumn: undefined, completionColumn: undefined, messagesColumn: 'messages' };
    const { writing, reference } = example({}, { messages }, columns, { maxLength: 256 });
    expect(reference).toBe('5');
    expect(tokenizer.decode(writing().prompt)).toBe(
      '<|user|>Two and two?<|assistant|>4<|user|>And one?<|assistant|>',
    );
    expect([...writing().ends]).toEqual([END]);
  });

  it("ends with the template's own token, also where the answer in the data is truncated", () => {
    // A second token ends the whole text, as in Phi-3's template: answers end before it.
    const own = taskLab('causal-language-modeling');
    const parts = JSON.parse(file('tokenizer.json')) as { added_tokens: { id: number }[] };
    const [ended] = parts.added_tokens;
    const turn = tokenizer.vocabSize;
    const added = [ended, { ...ended, id: turn, content: '<|end|>' }];
    const at = own.write('tokenizer.json', JSON.stringify({ ...parts, added_tokens: added }));
    const TURNS = `${CHAT.replace('+ eos_token', "+ '<|end|>\n'")}{% if not add_generation_prompt %}{{ eos_token }}{% endif %}`;
    const config = { ...JSON.parse(file('tokenizer_config.json')), chat_template: TURNS };
    own.write('tokenizer_config.json', JSON.stringify(config));
    const turns = loadTokenizer(at);
    const endsOf = (content: string, lossOn: string) => {
      const messages = [
        { role: 'user', content: 'Two and two?' },
        { role: 'assistant', content },
      ];
      const columns = { textColumn: undefined, completionColumn: undefined, messagesColumn: 'messages' };
      const set = experiment({ lossOn }, columns);
      const row = { text: '', label: content, messages, line: 1 };
      return writtenText(turns, row, answerFormat(turns, set), 0).writing().ends;
    };
    const expected = new Set([END, turn]);
    expect(endsOf('4', 'answers')).toEqual(expected);
    expect(endsOf('4 and so on '.repeat(20), 'answers')).toEqual(expected);
    expect(endsOf('4', 'everything')).toEqual(expected);
  });

  it('has room in the longest input: a prompt that leaves none loses its beginning', () => {
    const task = { answers: { ...EXACT.answers, maxNewTokens: 58 } };
    const { prompt } = example(task).writing();
    expect(prompt.length).toBe(6);
    expect(QUESTION.prompt.endsWith(tokenizer.decode(prompt))).toBe(true);
  });

  it('ends before the first stop string, which is looked for after each token', () => {
    const { format, writing } = example({ answers: { ...EXACT.answers, stop: ['Question:', '\n\n'] } });
    const text = 'It is #### 4 Question: and #### 5';
    expect(format.textOf(tokensOf(text))).toBe('It is #### 4 ');
    const made: number[] = [];
    for (const token of tokensOf(text)) {
      made.push(token);
      if (writing().isOver!(made)) break;
    }
    expect(tokenizer.decode(made)).toMatch(/Question:$/);
    expect(example().writing().isOver!([...tokensOf(text)])).toBe(false);
  });
});

describe('a written answer', () => {
  it('is right if the pattern finds in it what it finds in the data', () => {
    expect(judged(example(), 'Well, #### 4.')).toEqual([{ reference: '4', written: '4', right: true }]);
    expect(judged(example(), 'Well, #### 5')).toEqual([{ reference: '4', written: '5', right: false }]);
    expect(judged(example(), 'It is 4')).toEqual([{ reference: '4', written: undefined, right: false }]);
  });

  it('is judged by several methods, in their order', () => {
    const both = { scoring: ['last-number', 'exact-match'], ...EXACT };
    expect(judged(example(both), 'It is 4')).toEqual([
      { reference: '4', written: '4', right: true },
      { reference: '4', written: undefined, right: false },
    ]);
  });

  it('is all of the text without a pattern', () => {
    expect(judged(example({}), ' It is #### 4\n')[0].right).toBe(true);
    expect(judged(example({}), '4')[0].right).toBe(false);
    const ignoring = example({ answers: { ignoreCase: true, ignorePunctuation: true } });
    expect(judged(ignoring, 'IT IS #### 4!')[0].right).toBe(true);
  });

  it('ends with an error where a pattern would take forever', () => {
    const slow = example({ answers: { pattern: '^((?:a+)+)$' } });
    expect(failure('experiment', () => slow.format.read(`${'a'.repeat(40)}!`))).toMatch(
      /task\.answers\.pattern cannot be used: .* takes more than/,
    );
  });
});

/** The numbers that an evaluation keeps of an example whose tokens were the most likely ones, and of written tokens. */
const kept = (of: WrittenText, written?: readonly number[]) =>
  Float32Array.from([
    ...predictedTokens(of).flatMap(() => [-0.5, 1]),
    ...(written ? of.writing().keep(written) : []),
  ]);

describe('language modeling with task.scoring', () => {
  const task = { scoring: ['exact-match', 'last-number'], ...EXACT };

  it('is a kind that writes, and is without it the plain one', () => {
    expect(taskKind(experiment(task).task)).toBe(kind);
    expect(taskKind({ type: 'causal-language-modeling' })).not.toBe(kind);
    expect(experiment(task).training.metric).toBe('exactMatch');
    expect(experiment({ scoring: 'last-number' }).training.metric).toBe('lastNumber');
  });

  it('has a share of right answers by each method, and none where nothing was written', async () => {
    const { validation } = await kind.load(experiment(task), textModel);
    const examples = [...validation.dataset.examples];
    const scorer = kind.scorer();
    scorer.add(examples[0], kept(examples[0], tokensOf('#### 4')));
    scorer.add(examples[1], kept(examples[1], tokensOf('It is 3')));
    expect(scorer.metrics(0)).toEqual({
      ...{ exactMatch: 0.5, lastNumber: 1, perplexity: 1, tokenAccuracy: 1, examples: 2 },
    });
    const without = kind.scorer();
    examples.forEach((e) => without.add(e, kept(e)));
    expect(without.metrics(0)).toEqual({ perplexity: 1, tokenAccuracy: 1, examples: 2 });
  });

  it('keeps the written texts and answers with its predictions', async () => {
    const data = await kind.load(experiment(task), textModel);
    const [a, b] = [...data.validation.dataset.examples];
    const all = [kept(a, tokensOf('#### 4')), kept(b, tokensOf('It is 3'))];
    const answers = kind.predictions(data.validation, data, all);
    expect(answers).toMatchObject({
      texts: ['#### 4', 'It is 3'],
      references: ['It is #### 4', 'So #### 3.'],
      judged: [
        { scoring: 'exact-match', right: [1, 0], reference: ['4', '3'], written: ['4', null] },
        { scoring: 'last-number', right: [1, 1], reference: ['4', '3'], written: ['4', '3'] },
      ],
    });
    const stored: Predictions = {
      ...{ step: 1, form: 'dynamic', data: { file: train, sha256: '' }, excerpts: [] },
      metrics: { loss: 0.5, examples: 2 },
      ...answers,
    };
    expect(parsePredictions('', encodePredictions(stored))).toMatchObject(answers);
    const damaged = { ...stored, judged: [{ ...answers.judged[0], right: [1] }] };
    expect(failure('run', () => parsePredictions('', encodePredictions(damaged as Predictions)))).toMatch(
      /does not hold a checkpoint's predictions/,
    );
  });

  it('is compared with always writing the most frequent answer', async () => {
    const rows = [QUESTION, QUESTION, { prompt: 'One: ', completion: '#### 1' }];
    const data = await kind.load(experiment(task, { train: write('often.jsonl', lines(rows)) }), textModel);
    expect(kind.baseline(data)).toEqual({ answer: 'always "4"', metric: 'exactMatch', value: 0.5 });
  });

  it('does not begin if no answer of the data is found', async () => {
    const load = (task: object) => rejection('data', kind.load(experiment(task), textModel));
    expect(await load({ answers: { pattern: 'Answer: (.+)' } })).toMatch(
      /train\.jsonl: task\.answers\.pattern, Answer: \(\.\+\), finds nothing in any of the 2 answers.*"It is #### 4".*Correct the pattern/s,
    );
    const words = write('words.jsonl', lines([{ prompt: 'a', completion: 'b' }]));
    expect(
      await rejection(
        'data',
        kind.loadValidation(experiment({ scoring: 'last-number' }, { validation: words }), textModel),
      ),
    ).toMatch(/there is no number in any of the 1 answers/);
  });

  it('does not begin with a conversation that has no prompt', async () => {
    const messages = [{ role: 'assistant', content: 'Hello 1' }];
    const own = write('chats.jsonl', lines([{ messages }]));
    const columns = { textColumn: undefined, completionColumn: undefined, messagesColumn: 'messages' };
    const data = { train: own, validation: own, ...columns };
    expect(
      await rejection('data', kind.load(experiment({ scoring: 'last-number' }, data), textModel)),
    ).toMatch(/chats\.jsonl:1: the conversation begins with the assistant's last message/);
  });

  it('warns of answers that are not found, and of prompts without room for an answer', async () => {
    const some = write('some.jsonl', lines([QUESTION, { prompt: 'One: ', completion: 'It is 1' }]));
    const { warnings, assumed } = await kind.load(
      experiment({ answers: { ...EXACT.answers, maxNewTokens: 58 } }, { validation: some }),
      textModel,
    );
    expect(assumed.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['task.answers.pattern', 'model.maxLength']),
    );
    expect(warnings.join('\n')).toMatch(
      /finds nothing in 1 of 2 answers.*\n.*prompts have more than 6 tokens/,
    );
  });

  it('warns of long prompts also where everything counts in the loss', async () => {
    const answers = { ...EXACT.answers, maxNewTokens: 58 };
    const { warnings } = await kind.load(experiment({ lossOn: 'everything', answers }), textModel);
    expect(warnings.join('\n')).toMatch(/2 of 2 prompts have more than 6 tokens/);
  });
});

describe('the settings of written answers', () => {
  const problems = (task: object, data: object = {}, more: object = {}) =>
    failure('experiment', () => experiment(task, data, more));

  it('have a pattern with one group', () => {
    const pattern = (text: string) => problems({ answers: { pattern: text } });
    expect(pattern('#### .+')).toMatch(/task\.answers\.pattern has no group; expected .* one group/);
    expect(pattern('(#+) (.+)')).toMatch(/has 2 groups/);
    expect(pattern('#### (.+')).toMatch(/cannot be read: .*Unterminated group/);
    expect(experiment({ answers: { pattern: '(?:#+|=) (.+)' } }).task.answers).toEqual({
      pattern: '(?:#+|=) (.+)',
    });
  });

  it('suit the task, its data and each other', () => {
    expect(problems({ scoring: 'likelihood' })).toMatch(/expected "exact-match" or "last-number", or a list/);
    expect(problems({ scoring: ['exact-match', 'likelihood'] })).toMatch(/task\.scoring/);
    expect(problems({ scoring: undefined, answers: {} })).toMatch(
      /task\.scoring is not, so no answers are written/,
    );
    expect(problems({ scoring: 'last-number', ...EXACT })).toMatch(
      /task\.answers\.pattern is for "exact-match"/,
    );
    expect(problems({}, { completionColumn: undefined })).toMatch(
      /data\.completionColumn must name the column/,
    );
    expect(problems({ answers: { maxNewTokens: 64 } })).toMatch(
      /maxNewTokens is 64, but a prompt and its answer have at most 64 tokens together/,
    );
    const metric = (name: string) =>
      failure('experiment', () =>
        spec(DATA, { task: { type: 'causal-language-modeling' }, training: { metric: name } }),
      );
    expect(metric('exactMatch')).toMatch(
      /training\.metric is "exactMatch", which needs "exact-match" in task\.scoring/,
    );
  });
});
