import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../src/data/text/tokenizer';
import type { Scoring } from '../../../src/experiment/scoring';
import { choiceText, type ChoiceSequence, type ChoiceFormat } from '../../../src/tasks/choice-text';
import { answeredOf, likelihood, mostFrequentChoice } from '../../../src/tasks/choice-answers';
import { multipleChoice as kind } from '../../../src/tasks/multiple-choice';
import { IGNORE_LABEL } from '../../../src/tasks/objective';
import { softmax } from '../../../src/tasks/softmax';
import { encodePredictions, parsePredictions, type Predictions } from '../../../src/protocol/predictions';
import { failure } from '../data/support';
import { taskLab, textModel } from './lab';

const FIXTURE = join(import.meta.dirname, '../../fixtures/playground/language');
const { spec, write } = taskLab('multiple-choice');
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
const read = (ids: Iterable<number>) =>
  tokenizer.decode([...ids].filter((id) => id !== IGNORE_LABEL && id !== END));

const FORMAT: ChoiceFormat = {
  maxLength: 200,
  lossOn: 'answers',
  template: 'Question: {text} Answer:',
  chat: false,
  scoring: 'likelihood',
};
const ROW = { text: 'Where?', choices: ['here', 'over there'], answer: 1 };
const example = (format: Partial<ChoiceFormat> = {}, row: object = {}) =>
  choiceText(tokenizer, { ...ROW, ...row }, { ...FORMAT, ...format }, 7);
const answerOf = ({ ids, from, to }: ChoiceSequence) => read(ids.slice(from, to));

describe('a question with choices', () => {
  it('is learned as its prompt and its right answer, which ends the text', () => {
    const { ids, targets, row } = example();
    expect(read(ids)).toBe('Question: Where? Answer: over there');
    expect(ids.at(-1)).toBe(END);
    expect(read(targets)).toBe(' over there');
    expect(targets.at(-1)).toBe(END);
    expect(row).toBe(7);
    expect(example({ lossOn: 'everything' }).targets[1]).toBe(ids[1]);
  });

  it('is asked with each choice, of which only the right one counts in the loss', () => {
    const [wrong, right] = example().sequences();
    expect(read(wrong.ids)).toBe('Question: Where? Answer: here');
    expect([wrong, right].map(answerOf)).toEqual([' here', ' over there']);
    expect(new Set(wrong.targets)).toEqual(new Set([IGNORE_LABEL]));
    expect(right.targets).toEqual(example().targets);
    expect(right.to).toBe(right.ids.length - 1);
  });

  it('begins its answers as its row says', () => {
    const own = example({ template: '{text}: ' }, { lead: 'it is ' });
    expect(own.sequences().map(({ ids }) => read(ids))).toEqual([
      'Where?: it is here',
      'Where?: it is over there',
    ]);
  });

  it('is written in the chat format of the model', () => {
    const [wrong, right] = example({ chat: true, template: '{text}' }).sequences();
    expect(tokenizer.decode([...right.ids])).toContain('Where?');
    expect([wrong, right].map(answerOf)).toEqual(['here', 'over there']);
    expect(right.ids[right.to]).toBe(END);
  });

  it('loses its beginning where it is too long, and is a bad row where its answer is', () => {
    const long = { text: `${'very '.repeat(60)}far?` };
    const cut = example({ maxLength: 24 }, long);
    expect(cut.truncated).toBe(true);
    expect(cut.size).toBe(24);
    for (const sequence of cut.sequences()) expect(answerOf(sequence)).toMatch(/ (here|over there)$/);
    expect(example({ maxLength: 2 }, { choices: ['a', 'over there and far away'] }).size).toBe(0);
  });
});

describe('the likelihood of an answer', () => {
  const VOCABULARY = tokenizer.vocabSize;
  /** Logits that are different for each position and token. */
  const logitsOf = ({ ids }: { ids: Int32Array }) =>
    Float32Array.from({ length: ids.length * VOCABULARY }, (_, i) => Math.sin(i * 0.37) * 3);

  it('is the sum over its tokens after the question, as by hand', () => {
    const [sequence] = example().sequences();
    const logits = logitsOf(sequence);
    let expected = 0;
    for (let t = sequence.from; t < sequence.to; t++) {
      const before = logits.subarray((t - 1) * VOCABULARY, t * VOCABULARY);
      expected += Math.log(softmax(before)[sequence.ids[t]]);
    }
    const [sum, tokens] = likelihood(sequence, logits);
    expect(sum).toBeCloseTo(expected, 8);
    expect(tokens).toBe(sequence.to - sequence.from);
    expect(read(sequence.ids.slice(sequence.from, sequence.to))).toBe(' here');
  });

  it('decides, as a sum or for each character', () => {
    const kept = Float32Array.of(-4, 2, -6, 4);
    const of = (scoring: Scoring) => answeredOf(example({ scoring }), kept);
    expect(of('likelihood')).toEqual({ predicted: 0, probabilities: softmax([-4, -6]), loss: 1.5 });
    // "here" has 4 characters, "over there" 10.
    expect(of('normalized-likelihood').predicted).toBe(1);
    expect(of('normalized-likelihood').probabilities).toEqual(softmax([-1, Math.fround(-6) / 10]));
    expect(answeredOf(example({ scoring: 'generation' }), Float32Array.of(-6, 4, 0))).toEqual({
      predicted: 0,
      probabilities: undefined,
      loss: 1.5,
    });
    expect(
      answeredOf(example({ scoring: 'generation' }), Float32Array.of(-6, 4, -1)).predicted,
    ).toBeUndefined();
  });
});

describe('a question that is answered in writing', () => {
  it('is asked up to where its answer begins, and its answer is read', () => {
    const asked = example({ scoring: 'generation' });
    expect(asked.sequences()).toHaveLength(1);
    const writing = asked.writing!();
    expect(read(writing.prompt)).toBe('Question: Where? Answer:');
    expect(writing).toMatchObject({ maxTokens: 32, beams: 1, ends: new Set([END]) });
    expect(writing.keep(tokenizer.encodeBare(' over there'))).toEqual([1]);
    expect(writing.keep(tokenizer.encodeBare(' nowhere'))).toEqual([-1]);
    expect(example().writing).toBeUndefined();
  });

  it('has the prompt, the beams and the tokens of LLM-Adapters', () => {
    const { prompt, maxTokens, beams } = example({ scoring: 'llm-adapters', maxLength: 999 }).writing!();
    expect([maxTokens, beams]).toEqual([32, 4]);
    const indent = ' '.repeat(16);
    const whole = `Below is an instruction that describes a task. Write a response that appropriately completes the request. \n\n${indent}### Instruction:\n${indent}Where?\n\n${indent}### Response:\n${indent}`;
    expect([...prompt]).toEqual(tokenizer.encode(whole, Infinity).ids.filter((id) => id !== END));
  });

  it('leaves room for the answer', () => {
    const long = { text: 'far '.repeat(100) };
    const { prompt, maxTokens } = example({ scoring: 'generation', maxLength: 40 }, long).writing!();
    expect(prompt.length + maxTokens).toBe(40);
  });
});

const jsonl = (...rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n');
const train = write(
  'train.jsonl',
  jsonl(
    { question: 'a', choices: ['x', 'y'], answer: 1 },
    { question: 'b', choices: ['x', 'y', 'z'], answer: 1 },
    { question: 'c', choices: ['x', 'y'], answer: 'x' },
  ),
);
const experiment = (data: object = {}, more: object = {}) =>
  spec(
    { train, validation: train, choicesColumn: 'choices', ...data },
    {
      model: { path: 'model.onnx', tokenizer: path, maxLength: 64 },
      ...more,
    },
  );

describe('the task', () => {
  it('counts right answers, and shows each question with its choices', async () => {
    const data = await kind.load(experiment(), textModel);
    const { examples } = data.validation.dataset;
    const kept = [
      [-3, 1, -1, 1],
      [-1, 1, -3, 1, -2, 1],
      [-1, 1, -1, 1],
    ].map((numbers) => Float32Array.from(numbers));
    const scorer = kind.scorer();
    examples.map((e, i) => scorer.add(e, kept[i]));
    expect(scorer.metrics()).toEqual({ accuracy: 2 / 3, examples: 3 });
    const answers = kind.predictions(data.validation, data, kept);
    expect([...answers.columns.predicted]).toEqual([1, 0, 0]);
    expect([...answers.columns.label]).toEqual([1, 1, 0]);
    expect([...answers.shares.example]).toEqual([0, 0, 1, 1, 1, 2, 2]);
    expect(answers.shares.probability[0]).toBeCloseTo(1 / (1 + Math.exp(2)), 5);
    const whole: Predictions = {
      step: 1,
      form: 'dynamic',
      data: { file: train, sha256: '' },
      metrics: { loss: 1, accuracy: 2 / 3, examples: 3 },
      excerpts: [{ example: 1, text: 'b', choices: ['x', 'y', 'z'] }],
      ...answers,
    };
    expect(parsePredictions('p.json', encodePredictions(whole))).toEqual(whole);
    const broken = encodePredictions(whole).replace('"label":[1,1,0]', '"label":[1,3,0]');
    expect(() => parsePredictions('p.json', broken)).toThrow(/does not hold/);
    expect(await kind.samples(experiment(), data)).toEqual([
      { text: 'a', choices: ['x', 'y'], label: 'y', file: 'train.jsonl', line: 1 },
      { text: 'b', choices: ['x', 'y', 'z'], label: 'y', file: 'train.jsonl', line: 2 },
      { text: 'c', choices: ['x', 'y'], label: 'x', file: 'train.jsonl', line: 3 },
    ]);
  });

  it('is compared with the most frequent place of right answers, or with chance', async () => {
    const { train: split } = await kind.load(experiment(), textModel);
    const examples = [...split.dataset.examples];
    expect(mostFrequentChoice(examples, examples)).toEqual({
      answer: 'always choice 2',
      metric: 'accuracy',
      value: 2 / 3,
    });
    expect(mostFrequentChoice(examples, [examples[2]])).toEqual({
      answer: 'a random choice',
      metric: 'accuracy',
      value: 1 / 2,
    });
  });

  it('answers a question that a person asks, with the choices given or offered', async () => {
    const data = await kind.withoutRows(experiment(), textModel);
    const { example: asked, answer } = kind.ask({ text: 'Where?', choices: ['here', 'there'] }, data, 64);
    expect(asked.sequences()).toHaveLength(2);
    expect(answer(Float32Array.of(-1, 1, -1, 1))).toEqual({
      probabilities: [0.5, 0.5],
      choices: ['here', 'there'],
    });
    expect(failure('data', () => kind.ask({ text: 'Where?' }, data, 64))).toMatch(
      /fewer than two choices.*after the question, with a tab before each/,
    );
    const instructed = experiment(
      { choicesColumn: undefined, completionColumn: 'choices' },
      { task: { type: 'multiple-choice', scoring: 'llm-adapters' } },
    );
    const format = await kind.withoutRows(instructed, textModel);
    const offered = kind.ask({ text: 'Is it? Answer format: true/false' }, format, 64).example;
    expect(read(offered.sequences()[1].ids)).toContain('the correct answer is false');
  });

  it('needs choices from one place, and its settings are for nothing else', () => {
    const problems = (data: object, more: object = {}) => failure('experiment', () => experiment(data, more));
    expect(experiment({ choicesColumn: undefined }).data.choicesColumn).toBe('choices');
    expect(problems({ choiceColumns: ['a', 'b'] })).toMatch(
      /data\.choicesColumn and data\.choiceColumns are set/,
    );
    expect(problems({ messagesColumn: 'm' })).toMatch(/messagesColumn is for language modeling/);
    const plain = { task: { type: 'causal-language-modeling', scoring: 'generation' } };
    expect(problems({ choicesColumn: undefined }, plain)).toMatch(
      /task\.scoring is "generation", expected "exact-match"/,
    );
    const written = { task: { type: 'multiple-choice', scoring: ['exact-match'] } };
    expect(problems({}, written)).toMatch(/task\.scoring is \["exact-match"\], expected "likelihood"/);
    expect(problems({}, { task: { type: 'causal-language-modeling' } })).toMatch(
      /choicesColumn is for multiple choice/,
    );
  });
});
