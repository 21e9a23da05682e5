import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { GENERATION_DEFAULTS } from '../../../src/protocol/play-question';
import {
  parsePlayLine,
  parsePlayRequest,
  type PlayLine,
  type PlayRequest,
} from '../../../src/protocol/playground';

const DRAWN = { steps: 25, guidance: 7.5, sampler: 'euler', width: 512, height: 640 } as const;

const REQUESTS: PlayRequest[] = [
  { kind: 'load', subject: 'a', source: { kind: 'run', run: '/r', at: 'best' } },
  { kind: 'load', subject: 'a', source: { kind: 'run', run: '/r', at: 120 }, base: false },
  { kind: 'load', subject: 'a', source: { kind: 'model', model: '/m.onnx', adapter: '/a', tokenizer: '/t' } },
  { kind: 'unload', subject: 'a' },
  { kind: 'predict', request: 1, text: 'x' },
  { kind: 'predict', request: 1, image: { width: 1, height: 1, rgba: 'AAAA' } },
  { kind: 'generate', request: 2, text: '', settings: GENERATION_DEFAULTS },
  { kind: 'generate', request: 2, text: 'x', asTyped: true, settings: GENERATION_DEFAULTS },
  { kind: 'draw', request: 2, text: 'a dog', settings: { ...DRAWN, seed: 3 } },
  { kind: 'draw', request: 2, text: '', negative: 'blurry', settings: { ...DRAWN, seed: 3 } },
  { kind: 'sample', request: 3, subject: 'a' },
  { kind: 'stop', request: 2 },
];

const of = { request: 1, subject: 'a', variant: 'base' } as const;
const LINES: PlayLine[] = [
  { kind: 'loading', subject: 'a' },
  {
    kind: 'loaded',
    subject: 'a',
    input: 'text',
    answer: 'label',
    name: 'x',
    labels: ['y'],
    step: 3,
    form: 'static',
    base: 'model',
    samples: true,
    drawing: DRAWN,
    assumed: [],
  },
  {
    kind: 'loaded',
    subject: 'a',
    input: 'image',
    answer: 'label',
    name: 'x',
    labels: ['y'],
    samples: false,
    image: { width: 256, height: 256, patches: { side: 16, most: 256 } },
    assumed: [],
  },
  { kind: 'prediction', ...of, probabilities: [0, 1], seconds: 0.1, tokens: 3, truncated: true },
  { kind: 'prediction', ...of, masks: [[{ token: 'x', probability: 0.5 }], []], seconds: 0.1 },
  { kind: 'token', ...of, text: 'é' },
  {
    kind: 'generated',
    ...of,
    text: 'x',
    tokens: 1,
    promptTokens: 2,
    secondsToFirst: 0.1,
    tokensPerSecond: 10,
    ended: 'full',
  },
  { kind: 'drawing', ...of, step: 3, of: 25 },
  { kind: 'picture', ...of, width: 512, height: 640, png: 'iVBORw0KGgo=', seconds: 3.5 },
  { kind: 'sample', request: 1, subject: 'a', text: 'x', label: 'y', file: 'f', line: 3 },
  { kind: 'answered', request: 1 },
  { kind: 'problem', message: 'x' },
  { kind: 'problem', message: 'x', hint: 'y', request: 1, subject: 'a' },
];

describe('requests', () => {
  it.each(REQUESTS)('include $kind', (request) =>
    expect(parsePlayRequest(JSON.stringify(request))).toEqual(request),
  );

  it('of unknown kinds are ignored', () => {
    expect(parsePlayRequest('{"kind":"sing"}')).toBeUndefined();
    expect(parsePlayRequest('{}')).toBeUndefined();
    // Inherited members are not kinds.
    expect(parsePlayRequest('{"kind":"toString"}')).toBeUndefined();
  });

  it.each([
    ['', 'not a JSON object'],
    ['[1]', 'not a JSON object'],
    ['{"kind":"unload"', 'not a JSON object'],
    ['{"kind":"unload"}', '"subject"'],
    ['{"kind":"load","subject":"a","source":{"kind":"run","run":"/r","at":"first"}}', '"source"'],
    ['{"kind":"load","subject":"a","source":{"kind":"model"}}', '"source"'],
    ['{"kind":"predict","request":-1,"text":"x"}', '"request"'],
    ['{"kind":"predict","request":1}', 'either a text or an image'],
    ['{"kind":"predict","request":1,"text":"x","image":{"width":1,"height":1,"rgba":""}}', 'either'],
    ['{"kind":"predict","request":1,"image":{"width":1.5,"height":1,"rgba":""}}', '"image"'],
    ['{"kind":"stop"}', '"request"'],
  ])('are rejected with the reason: %s', (line, words) => {
    expect(() => parsePlayRequest(line)).toThrow(AuroraError);
    expect(() => parsePlayRequest(line)).toThrow(words);
  });

  it.each([
    { maxTokens: 1.5 },
    { temperature: -1 },
    { temperature: '1' },
    { topK: -1 },
    { topP: 0 },
    { topP: 1.1 },
    { seed: -1 },
  ])('are rejected for generation with %j', (wrong) => {
    const settings = { ...GENERATION_DEFAULTS, ...wrong };
    const line = JSON.stringify({ kind: 'generate', request: 1, text: 'x', settings });
    expect(() => parsePlayRequest(line)).toThrow('"settings"');
  });

  it.each([
    { steps: 0 },
    { steps: 2000 },
    { guidance: -1 },
    { sampler: 'magic' },
    { seed: 0.5 },
    { width: 0 },
    { width: 500 },
    { height: 1e6 },
  ])('are rejected for a picture with %j', (wrong) => {
    const settings = { ...DRAWN, seed: 0, ...wrong };
    const line = JSON.stringify({ kind: 'draw', request: 1, text: 'x', settings });
    expect(() => parsePlayRequest(line)).toThrow('"settings"');
  });

  it('are rejected without repeating the pixels of an image', () => {
    const image = { width: 'x', height: 1, rgba: 'A'.repeat(10_000) };
    const line = JSON.stringify({ kind: 'predict', request: 1, image });
    expect(() => parsePlayRequest(line)).toThrow(/^.{0,200}$/);
  });
});

describe('answers', () => {
  it.each(LINES)('include $kind', (line) => expect(parsePlayLine(JSON.stringify(line))).toEqual(line));

  it.each([
    'Segmentation fault',
    'null',
    '{"kind":"sing"}',
    '{"kind":"loading"}',
    '{"kind":"answered","request":"1"}',
    '{"kind":"prediction","request":1,"subject":"a","variant":"other","probabilities":[],"seconds":0}',
    '{"kind":"prediction","request":1,"subject":"a","variant":"base","probabilities":[null],"seconds":0}',
    '{"kind":"problem"}',
  ])('do not include %s', (line) => expect(parsePlayLine(line)).toBeUndefined());
});
