import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Experiment } from '../../../../src/experiment/experiment';
import type { TaskName } from '../../../../src/experiment/tasks/registry';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { Lab } from '../../../cli/lab';

/** A task on given rows, for a small real model. */
export interface TokenCase {
  type: TaskName;
  rows: readonly object[];
  /** 'bert' has the fixture's WordPiece tokenizer, 'gpt' a byte-level one. */
  model: 'bert' | 'gpt' | 'masked';
  maxLength: number;
  /** The rows of a separate validation file; the same ones by default. */
  validation?: readonly object[];
  chatTemplate?: string;
  task?: object;
  data?: object;
  training?: object;
}

const MODELS = {
  bert: { path: 'reference/bert.onnx', targets: ['query', 'value'], head: 'linear', beside: [] },
  gpt: {
    path: 'playground/language/model.onnx',
    targets: ['c_attn'],
    head: 'none',
    beside: ['tokenizer.json', 'tokenizer_config.json', 'config.json'],
  },
  masked: {
    path: 'reference/more/masked-language-model.onnx',
    targets: ['query', 'value'],
    head: 'none',
    beside: [],
  },
} as const;

/** ChatML, as many models have it. */
export const CHAT =
  "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + eos_token }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

const jsonl = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** The files of a case, and its experiment. */
export function tokenLab(c: TokenCase): { lab: Lab; spec: Experiment } {
  const { path, targets, head, beside } = MODELS[c.model];
  const lab = new Lab({
    model: { maxLength: c.maxLength },
    task: { type: c.type, head, ...c.task },
    data: c.data ?? {},
    adapter: { method: 'lora', targetModules: targets, dropout: 0 },
    training: { batchSize: 4, ...c.training },
  });
  const model = resolve('test/fixtures', path);
  lab.write('model.onnx', readFileSync(model));
  for (const name of beside) lab.write(name, readFileSync(join(dirname(model), name)));
  if (c.chatTemplate !== undefined) {
    const config = JSON.parse(lab.read('tokenizer_config.json')) as object;
    lab.write('tokenizer_config.json', JSON.stringify({ ...config, chat_template: c.chatTemplate }));
  }
  lab.write('train.jsonl', jsonl(c.rows));
  lab.write('validation.jsonl', jsonl(c.validation ?? c.rows));
  return { lab, spec: loadExperiment(lab.experiment) };
}

const turn = (user: string, assistant: string) => ({
  chat: [
    { role: 'user', content: user },
    { role: 'assistant', content: assistant },
  ],
});

/** Every kind of task on texts, each with rows of several lengths. */
export const CASES: Record<string, TokenCase> = {
  'labels of texts, with class weights': {
    type: 'text-classification',
    model: 'bert',
    maxLength: 8,
    task: { classWeights: 'balanced' },
    rows: ['the cat', 'the cats played unaffably , the cat !', 'play', 'the cats', 'cat , cat'].map(
      (text, i) => ({
        text,
        label: i < 3 ? 'pets' : 'other',
      }),
    ),
  },
  'pairs of texts': {
    type: 'text-classification',
    model: 'bert',
    maxLength: 9,
    data: { textPairColumn: 'second' },
    rows: [
      { text: 'the cat', second: 'the cats !', label: 'a' },
      { text: 'the cats played the cat', second: 'unaffable cats , the cat', label: 'b' },
      { text: 'play', second: 'the cat , the cat , the cat', label: 'a' },
    ],
  },
  numbers: {
    type: 'text-regression',
    model: 'bert',
    maxLength: 8,
    data: { labelColumn: 'score' },
    rows: ['the cat', 'the cats played unaffably , the cat !', 'play'].map((text, i) => ({
      text,
      score: i * 2.5,
    })),
  },
  'several labels': {
    type: 'multi-label-classification',
    model: 'bert',
    maxLength: 8,
    rows: [
      { text: 'the cat', labels: ['pets', 'short'] },
      { text: 'the cats played unaffably , the cat !', labels: ['pets'] },
      { text: 'play', labels: [] },
    ],
  },
  'tags of words, with class weights': {
    type: 'token-classification',
    model: 'bert',
    maxLength: 8,
    task: { classWeights: { 'B-PET': 3 } },
    rows: [
      { tokens: ['the', 'cat'], tags: ['O', 'B-PET'] },
      {
        tokens: ['unaffable', 'cats', 'played', ',', 'the', 'cat'],
        tags: ['O', 'B-PET', 'O', 'O', 'O', 'B-PET'],
      },
      { tokens: ['playing'], tags: ['O'] },
    ],
  },
  'masked tokens': {
    type: 'masked-language-modeling',
    model: 'masked',
    maxLength: 8,
    rows: ['the cats played !', 'unaffable , the cat , the cats played', 'play'].map((text) => ({ text })),
  },
  'whole texts': {
    type: 'causal-language-modeling',
    model: 'gpt',
    maxLength: 10,
    rows: ['the cat', 'a much longer text than fits', 'b', 'é'].map((text) => ({ text })),
  },
  'completions of prompts': {
    type: 'causal-language-modeling',
    model: 'gpt',
    maxLength: 12,
    data: { completionColumn: 'answer' },
    rows: [
      { text: 'a b', answer: ' yes' },
      { text: 'c d e', answer: ' a long answer' },
      { text: 'f', answer: ' no' },
    ],
  },
  'prompts and completions, all of which count': {
    type: 'causal-language-modeling',
    model: 'gpt',
    maxLength: 12,
    task: { lossOn: 'everything' },
    data: { completionColumn: 'answer' },
    rows: [
      { text: 'a b', answer: ' yes' },
      { text: 'c d e', answer: ' a long answer' },
    ],
  },
  conversations: {
    type: 'causal-language-modeling',
    model: 'gpt',
    maxLength: 40,
    chatTemplate: CHAT,
    data: { messagesColumn: 'chat' },
    rows: [
      turn('a', 'yes'),
      turn('b', 'a very long answer that is cut'),
      { chat: [...turn('c', 'no').chat, ...turn('d', 'x').chat] },
    ],
  },
  'conversations whose answers the template marks': {
    type: 'causal-language-modeling',
    model: 'gpt',
    maxLength: 40,
    chatTemplate:
      "{% for m in messages %}{% if m['role'] == 'assistant' %}A:{% generation %}{{ m['content'] }}{% endgeneration %};{% else %}U:{{ m['content'] }};{% endif %}{% endfor %}",
    data: { messagesColumn: 'chat' },
    rows: [turn('a', 'yes'), turn('b', 'no')],
  },
  'packed texts': {
    type: 'causal-language-modeling',
    model: 'gpt',
    maxLength: 16,
    data: { completionColumn: 'answer' },
    training: { packing: true, batchSize: 2 },
    rows: [
      { text: 'a b', answer: ' yes' },
      { text: 'c d e', answer: ' a long answer' },
      { text: 'f', answer: ' no' },
      { text: 'g', answer: ' ok' },
      { text: 'h i', answer: ' no' },
    ],
  },
  choices: {
    type: 'multiple-choice',
    model: 'gpt',
    maxLength: 32,
    data: { choicesColumn: 'options', promptTemplate: '{text}:' },
    rows: [
      { question: 'a b', options: ['x', 'yz'], answer: 1 },
      { question: 'a question of more tokens than there is room for', options: ['x', 'yz'], answer: 0 },
    ],
  },
};
