import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../src/data/text/tokenizer';
import { parseExperiment } from '../../../src/runs/experiment/load';
import { causalLanguageModeling as kind } from '../../../src/tasks/causal-language-modeling';
import { languageText } from '../../../src/tasks/text/language-text';
import { IGNORE_LABEL } from '../../../src/tasks/objective';
import { LABELS } from '../../../src/tasks/task-graph';
import { modelInputs, batchFeeds } from '../../../src/tasks/task-data';
import { rejection } from '../data/support';
import { taskLab, textModel } from './lab';

const FIXTURE = join(import.meta.dirname, '../../fixtures/playground/language');
const { spec, write } = taskLab('causal-language-modeling');
const file = (name: string) => readFileSync(join(FIXTURE, name), 'utf8');
/** ChatML, as many models have it. */
const CHAT =
  "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + eos_token }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";
const tokenizerPath = write('tokenizer.json', file('tokenizer.json'));
write(
  'tokenizer_config.json',
  JSON.stringify({ ...JSON.parse(file('tokenizer_config.json')), chat_template: CHAT }),
);
write('config.json', file('config.json'));
const tokenizer = loadTokenizer(tokenizerPath);
const END = 0;
const loadedWith = (template: string) => {
  mkdirSync(join(dirname(tokenizerPath), 'other'), { recursive: true });
  const config = { ...JSON.parse(file('tokenizer_config.json')), chat_template: template };
  write('other/tokenizer_config.json', JSON.stringify(config));
  write('other/config.json', file('config.json'));
  return loadTokenizer(write('other/tokenizer.json', file('tokenizer.json')));
};

const train = write('train.jsonl', '{"text":"hello world"}\n{"text":"low new"}\n');
const experiment = (data: object, more: object = {}) =>
  spec(
    { train, validation: train, ...data },
    { model: { path: 'model.onnx', tokenizer: tokenizerPath, maxLength: 48 }, ...more },
  );
const read = (ids: Iterable<number>) => tokenizer.decode([...ids].filter((id) => id >= 0 && id !== END));
const options = { maxLength: 200, lossOn: 'answers' } as const;

describe('the tokens of a language model', () => {
  it('are those of the text and its end, and all but the first are predicted', () => {
    const { ids, targets, size } = languageText(
      tokenizer,
      { text: 'hello world', label: '', line: 1 },
      options,
      0,
    );
    const plain = tokenizer.encode('hello world', 99).ids;
    expect([...ids]).toEqual([...plain, END]);
    expect([...targets]).toEqual([IGNORE_LABEL, ...plain.slice(1), END]);
    expect(size).toBe(ids.length);
  });

  it('of a prompt are not predicted', () => {
    const row = { text: 'hello', completion: ' world', label: ' world', line: 1 };
    const { ids, targets } = languageText(tokenizer, row, options, 0);
    expect([...ids]).toEqual([...tokenizer.encode('hello world', 99).ids, END]);
    expect(read(targets)).toBe(' world');
    expect(targets.at(-1)).toBe(END);
    const all = languageText(tokenizer, row, { ...options, lossOn: 'everything' }, 0);
    expect([...all.targets]).toEqual([IGNORE_LABEL, ...ids.slice(1)]);
  });

  it('count from where the prompt’s own tokens end, if a token spans the border', () => {
    const row = { text: 'hel', completion: 'lo', label: 'lo', line: 1 };
    const { ids, targets } = languageText(tokenizer, row, options, 0);
    expect([...ids]).toEqual([...tokenizer.encode('hello', 99).ids, END]);
    const [first] = [...targets].filter((t) => t !== IGNORE_LABEL);
    expect(tokenizer.encode('hel', 99).ids).not.toContain(first);
  });

  it('of a conversation are the assistant’s, with the token that ends each message', () => {
    const messages = [
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'world' },
      { role: 'user', content: 'new' },
      { role: 'assistant', content: 'low' },
    ];
    const { ids, targets } = languageText(tokenizer, { text: '', label: '', line: 1, messages }, options, 0);
    expect([...ids]).toEqual(tokenizer.encodeBare(tokenizer.chat!(messages, false).text));
    const counted = [...targets].filter((t) => t !== IGNORE_LABEL);
    expect(read(counted)).toBe('worldlow');
    expect(counted.filter((t) => t === END)).toHaveLength(2);
  });

  it('of a conversation are those that the template marks as generated', () => {
    const marked = loadedWith(
      "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{{ eos_token }}{% else %}{{ m.content }}{% endif %}{% endfor %}",
    );
    const messages = [
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: ' world' },
    ];
    const { targets } = languageText(marked, { text: '', label: '', line: 1, messages }, options, 0);
    const counted = [...targets].filter((t) => t !== IGNORE_LABEL);
    expect(marked.decode(counted)).toBe(' world');
    expect(counted).not.toContain(END);
  });

  it('of an earlier message include its own end, if the last message ends otherwise', () => {
    // As gpt-oss: the last message has another end.
    const changed = loadedWith(
      "{% for m in messages %}{{ m.content }}{{ '(last)' if loop.last and not add_generation_prompt else eos_token + 'low' }}{% endfor %}",
    );
    const messages = ['hello', ' world', ' new', ' low'].map((content, i) => ({
      role: i % 2 === 0 ? 'user' : 'assistant',
      content,
    }));
    const { targets } = languageText(changed, { text: '', label: '', line: 1, messages }, options, 0);
    const counted = [...targets].filter((t) => t !== IGNORE_LABEL);
    expect(counted.filter((t) => t === END)).toHaveLength(1);
    expect(read(counted)).toBe(' world low(last)');
  });

  it('of an answer end where it does, if the template always asks for the next one', () => {
    // As Nemotron-Mini and Command A.
    const asking = loadedWith(
      "{% for m in messages %}{{ ('old' if m.role == 'user' else 'new') + m.content + eos_token }}{% endfor %}{{ 'new' }}",
    );
    const messages = ['hello', ' world', ' low', ' lower'].map((content, i) => ({
      role: i % 2 === 0 ? 'user' : 'assistant',
      content,
    }));
    const { targets } = languageText(asking, { text: '', label: '', line: 1, messages }, options, 0);
    const counted = [...targets].filter((t) => t !== IGNORE_LABEL);
    expect(counted.filter((t) => t === END)).toHaveLength(2);
    expect(counted.at(-1)).toBe(END);
    expect(read(counted)).toBe(' world lower');
  });

  it('that are left after truncation may be none', () => {
    const row = { text: 'hello world', completion: ' new', label: '', line: 1 };
    const short = languageText(tokenizer, row, { ...options, maxLength: 3 }, 0);
    expect([short.size, short.truncated]).toEqual([0, true]);
  });
});

describe('the data of a language model', () => {
  it('become labels that are ignored in padding and prompts', async () => {
    const pairs = write('pairs.jsonl', '{"text":"hello","answer":" world"}\n{"text":"lo","answer":"w"}\n');
    const data = await kind.load(
      experiment({ train: pairs, validation: pairs, completionColumn: 'answer' }),
      textModel,
    );
    const { dataset } = data.train;
    const feeds = await batchFeeds(kind, modelInputs(textModel), dataset, [1, 0]);
    const [rows, length] = feeds[LABELS].dims;
    expect(rows).toBe(2);
    const labels = [...(feeds[LABELS].data as BigInt64Array)].map(Number);
    expect(read(labels.slice(length).filter((l) => l !== IGNORE_LABEL))).toBe(' world');
    expect(dataset.examples.map(kind.weight)).toEqual([
      labels.slice(length).filter((l) => l !== IGNORE_LABEL).length,
      labels.slice(0, length).filter((l) => l !== IGNORE_LABEL).length,
    ]);
    expect(
      (
        await kind.samples(experiment({ train: pairs, validation: pairs, completionColumn: 'answer' }), data)
      ).at(0),
    ).toEqual({
      text: 'hello',
      label: ' world',
      file: 'pairs.jsonl',
      line: 1,
    });
  });

  it('are in the template of the experiment, which is not learned', async () => {
    const pairs = write('template.jsonl', '{"text":"$& low {text}","answer":" new"}\n');
    const templated = experiment({
      train: pairs,
      validation: pairs,
      completionColumn: 'answer',
      promptTemplate: 'hello {text} or {text}:',
    });
    const data = await kind.load(templated, textModel);
    const { train: split } = data;
    const prompt = 'hello $& low {text} or $& low {text}:';
    expect(split.rows.at(0)).toMatchObject({ text: prompt, completion: ' new' });
    // A person asks without it, and it is put around what they ask.
    expect((await kind.samples(templated, data)).at(0)).toMatchObject({ text: '$& low {text}' });
    const [{ ids, targets }] = split.dataset.examples;
    expect(read(ids)).toBe(`${prompt} new`);
    expect(read(targets.filter((t) => t !== IGNORE_LABEL))).toBe(' new');
  });

  it.each([
    [{ promptTemplate: 'hello' }, {}, 'data.promptTemplate has no {text}'],
    [{ promptTemplate: '{text}', messagesColumn: 'm' }, {}, 'data.messagesColumn has conversations'],
    [{ promptTemplate: '{text}' }, { task: { type: 'text-classification' } }, 'is for language models'],
  ])('cannot have the template of %j', (data, more, problem) => {
    const text = JSON.stringify({
      model: { path: 'm.onnx' },
      task: { type: 'causal-language-modeling' },
      data: { train, ...data },
      ...more,
    });
    expect(() => parseExperiment('/x/y.aurora.json', text, [])).toThrow(problem);
  });

  it.each([
    ['{"messages":"hello"}', 'a list of messages'],
    ['{"messages":[{"role":"user"}]}', 'message 1 of "messages" has no role and content as strings'],
    ['{"messages":[{"role":"user","content":"a"}]}', 'no message of "messages" is the assistant\'s'],
    ['{"text":"a"}', 'has no column "messages"'],
  ])('are checked: %s', async (line, problem) => {
    const bad = write('bad.jsonl', `${line}\n`);
    const found = await rejection(
      'data',
      kind.load(experiment({ train: bad, messagesColumn: 'messages' }), textModel),
    );
    expect(found).toContain(problem);
  });

  it('need a chat template for conversations', async () => {
    const bare = taskLab('causal-language-modeling').write('tokenizer.json', file('tokenizer.json'));
    const chats = write(
      'chats.jsonl',
      '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n',
    );
    const asked = experiment(
      { train: chats, validation: chats, messagesColumn: 'messages' },
      { model: { path: 'model.onnx', tokenizer: bare, maxLength: 48 } },
    );
    expect(await rejection('data', kind.load(asked, textModel))).toContain('has no chat template');
  });
});

describe('the results of a language model', () => {
  it('are perplexity and the share of tokens that are the most likely ones', async () => {
    const data = await kind.load(experiment({}), textModel);
    const [example] = data.validation.dataset.examples;
    const logits = new Float32Array(example.size * tokenizer.vocabSize);
    // Certain of the first token that follows, undecided about the others.
    logits[example.ids[1]] = 50;
    logits[(example.size - 2) * tokenizer.vocabSize + 1] = 1e-4;
    const scorer = kind.scorer();
    scorer.add(example, logits);
    const accuracy = 1 / (example.size - 1);
    expect(scorer.metrics(Math.log(4))).toEqual({
      perplexity: expect.closeTo(4, 9) as number,
      tokenAccuracy: accuracy,
      examples: 1,
    });
    const kept = kind.keep(example, logits);
    expect(kept).toHaveLength(2 * (example.size - 1));
    expect([kept[0], kept[1], kept[2]]).toEqual([-0, 50, Math.fround(-Math.log(tokenizer.vocabSize))]);
    const split = { ...data.validation, dataset: { ...data.validation.dataset, examples: [example] } };
    const { columns } = kind.predictions(split, data, [kept]);
    expect([columns.answered[0], columns.right[0]]).toEqual([example.size - 1, 1]);
    expect(columns.loss[0]).toBeCloseTo(Math.log(tokenizer.vocabSize) * (1 - accuracy), 4);
    expect(kind.baseline(data)).toMatchObject({ metric: 'tokenAccuracy' });
    expect(kind.guessLoss(data)).toBeCloseTo(Math.log(tokenizer.vocabSize), 12);
  });
});
