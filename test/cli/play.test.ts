import { tensorName } from '../../src/adapters/stored-tensors';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { openEvaluator } from '../../src/engine/open-task';
import { GENERATION_DEFAULTS, type PlaySource } from '../../src/protocol/play-question';
import type { PlayLine, PlayRequest } from '../../src/protocol/playground';
import { openTrained } from '../../src/training/checkpoint/trained-run';
import { softmax } from '../../src/tasks/softmax';
import type { TextExample } from '../../src/data/dataset';
import { png } from '../png';
import type { TextData } from '../../src/tasks/text/text-data';
import { CLI, Lab } from './lab';

const RED = png(9, 7, () => [250, 20, 20]);
const FIXTURES = resolve('test/fixtures/playground');
const lab = new Lab({ training: { epochs: 2, learningRate: 0.03 } });
afterAll(() => lab.remove());
const fixture = <T>(name: string) => JSON.parse(readFileSync(join(FIXTURES, name), 'utf8')) as T;
const model = (name: string, adapter = false): PlaySource => ({
  kind: 'model',
  model: join(FIXTURES, name, 'model.onnx'),
  ...(adapter && { adapter: join(FIXTURES, name, 'adapter') }),
});
interface Greedy {
  prompt: string;
  ids: number[];
  base: { tokens: number[]; text: string; ended: string };
  adapted: Greedy['base'];
}
interface Mood {
  text: string;
  tokens: number;
  base: number[];
  adapted: number[];
}

/** Greedy, to the end of the text. */
const settings = { ...GENERATION_DEFAULTS, maxTokens: 60 };

function trained(out: string, ...set: string[]): string {
  const r = lab.run('train', lab.experiment, '--out', lab.path(out), ...set.flatMap((s) => ['--set', s]));
  expect([r.code, r.err]).toEqual([0, expect.not.stringContaining('error')]);
  return lab.runs(lab.path(out))[0];
}

/** Runs `aurora play --json` with its own temporary folder. */
class Program {
  readonly lines: PlayLine[] = [];
  readonly temporary: string;
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  err = '';

  constructor(...args: string[]) {
    this.temporary = lab.path(`tmp-${readdirSync(lab.folder).length}`);
    mkdirSync(this.temporary);
    this.child = spawn(process.execPath, [CLI, 'play', '--json', ...args], {
      env: { ...process.env, TMPDIR: this.temporary },
    });
    createInterface({ input: this.child.stdout! }).on('line', (l) =>
      this.lines.push(JSON.parse(l) as PlayLine),
    );
    this.child.stderr!.on('data', (b: Buffer) => (this.err += b.toString()));
    this.ended = new Promise((done) => this.child.once('close', (code) => done(code)));
    programs.push(this);
  }

  send(...requests: (PlayRequest | string)[]): this {
    for (const r of requests) this.child.stdin!.write(`${typeof r === 'string' ? r : JSON.stringify(r)}\n`);
    return this;
  }

  /** The first line of a kind, or the first one for a request. */
  async line<K extends PlayLine['kind']>(
    kind: K,
    also: Record<string, unknown> = {},
  ): Promise<Extract<PlayLine, { kind: K }>> {
    const find = () =>
      this.lines.find(
        (l) => l.kind === kind && Object.entries(also).every(([k, v]) => (l as never)[k] === v),
      );
    await vi.waitFor(() => expect([find(), this.err, this.lines.at(-1)]).not.toContain(undefined), {
      timeout: 900_000,
      interval: 20,
    });
    return find() as Extract<PlayLine, { kind: K }>;
  }

  /** All replies to a request up to its end. */
  async answers(request: number): Promise<PlayLine[]> {
    await this.line('answered', { request });
    return this.lines.filter((l) => 'request' in l && l.request === request && l.kind !== 'answered');
  }
}

let programs: Program[] = [];
afterEach(async () => {
  for (const p of programs) {
    p.child.kill('SIGKILL');
    await p.ended;
  }
  programs = [];
});

const predictions = (lines: PlayLine[]) => lines.filter((l) => l.kind === 'prediction');
/** The largest difference; `a` must be as long as `b`. */
function apart(a: readonly number[] | undefined, b: ArrayLike<number> | undefined): number {
  expect(a).toHaveLength(b!.length);
  return Math.max(...a!.map((x, i) => Math.abs(x - b![i])));
}

describe('aurora play of runs', () => {
  const run = trained('aurora');
  const other = trained('lora', 'adapter={"method":"lora","rank":2,"targetModules":["query","value"]}');
  const text = 'the unaffable cats played , the cat !';

  /** The evaluator's results with and without the adapters. */
  async function evaluated(): Promise<{ adapted: Float64Array; base: Float64Array }> {
    const folder = lab.path('evaluator');
    const { task, parameters } = await openTrained(run, 'best', folder);
    const evaluator = await openEvaluator(task.model, task.infos, task.graph, folder);
    const { ids } = (task.data as TextData<TextExample>).tokenizer.encode(text, task.spec.model.maxLength);
    const example = { size: ids.length, ids: Int32Array.from(ids), label: 0, row: 0 };
    const dataset = { ...task.data.train.dataset, examples: [example] };
    const feeds = await task.feeds(dataset, [0]);
    const zero = new Map(parameters);
    for (const a of task.adapters) {
      const name = tensorName(a, 'B');
      zero.set(
        name,
        parameters.get(name)!.map(() => 0),
      );
    }
    const of = async (values: Map<string, Float32Array>) =>
      softmax((await evaluator.evaluate(feeds, values)).logits.data as Float32Array);
    const result = { adapted: await of(parameters), base: await of(zero) };
    await evaluator.dispose();
    return result;
  }

  it('matches the evaluator, and for the base model the evaluator with B at zero', async () => {
    const program = new Program(run);
    expect(await program.line('loaded')).toMatchObject({
      subject: '1',
      input: 'text',
      answer: 'label',
      labels: ['other', 'pets'],
      form: 'dynamic',
      base: 'model-with-head',
      samples: true,
    });
    const asked = performance.now();
    program.send({ kind: 'predict', request: 1, text });
    const [adapted, base, ...more] = predictions(await program.answers(1));
    const waited = (performance.now() - asked) / 1000;
    expect(more).toEqual([]);
    expect([adapted.variant, base.variant]).toEqual(['adapted', 'base']);
    const wanted = await evaluated();
    expect(apart(adapted.probabilities, wanted.adapted)).toBeLessThan(1e-6);
    expect(apart(base.probabilities, wanted.base)).toBeLessThan(1e-6);
    expect(apart(adapted.probabilities, base.probabilities)).toBeGreaterThan(1e-3);
    expect(adapted).toMatchObject({ tokens: 13, truncated: false });
    expect(adapted.seconds).toBeGreaterThan(0);
    expect(adapted.seconds + base.seconds).toBeLessThan(waited);
    expect(program.err).toBe('');
  });

  it('reports that a text was truncated or yields no tokens', async () => {
    const program = new Program(run, '--at', 'last').send(
      { kind: 'predict', request: 1, text: 'the cat '.repeat(20) },
      { kind: 'sample', request: 9, subject: '2' },
    );
    expect(predictions(await program.answers(1))[0]).toMatchObject({ tokens: 16, truncated: true });
    expect(await program.line('problem', { request: 9 })).toMatchObject({
      subject: '2',
      message: 'No validation examples are available.',
    });
  });

  it('shows two runs beside each other, the second without its base, and can remove one', async () => {
    const program = new Program().send(
      { kind: 'load', subject: 'a', source: { kind: 'run', run, at: 'best' } },
      { kind: 'load', subject: 'b', source: { kind: 'run', run: other, at: 'last' }, base: false },
      { kind: 'predict', request: 1, text },
    );
    const both = predictions(await program.answers(1));
    expect(both.map((l) => [l.subject, l.variant])).toEqual([
      ['a', 'adapted'],
      ['a', 'base'],
      ['b', 'adapted'],
    ]);
    expect((await program.line('loaded', { subject: 'b' })).base).toBeUndefined();
    program.send({ kind: 'unload', subject: 'a' }, { kind: 'predict', request: 2, text });
    const one = predictions(await program.answers(2));
    expect(one.map((l) => l.subject)).toEqual(['b']);
    expect(one[0].probabilities).toEqual(both[2].probabilities);
  });

  it('gives a different validation row each time and otherwise works without the data', async () => {
    const program = new Program(run).send(
      { kind: 'sample', request: 1, subject: '1' },
      { kind: 'sample', request: 2, subject: '1' },
    );
    const rows = readFileSync(lab.path('validation.jsonl'), 'utf8').trimEnd().split('\n');
    const samples = [
      await program.line('sample', { request: 1 }),
      await program.line('sample', { request: 2 }),
    ];
    for (const { text, label, file, line } of samples) {
      expect(file).toBe('validation.jsonl');
      expect(JSON.parse(rows[line - 1])).toEqual({ text, label });
    }
    expect(samples[0].line).not.toBe(samples[1].line);
    renameSync(lab.path('validation.jsonl'), lab.path('moved.jsonl'));
    try {
      const without = new Program(run).send(
        { kind: 'sample', request: 1, subject: '1' },
        { kind: 'predict', request: 2, text },
      );
      expect((await without.line('problem', { request: 1 })).message).toContain('validation.jsonl');
      expect(predictions(await without.answers(2))).toHaveLength(2);
    } finally {
      renameSync(lab.path('moved.jsonl'), lab.path('validation.jsonl'));
    }
  });

  it('ignores unknown lines, reports invalid ones, and continues', async () => {
    const program = new Program(run).send(
      'no JSON',
      '{"kind":"sing"}',
      '{"kind":"predict","request":1}',
      { kind: 'load', subject: 'x', source: { kind: 'run', run: lab.path('nothing'), at: 'best' } },
      { kind: 'generate', request: 2, text, settings },
      { kind: 'predict', request: 3, image: { width: 1, height: 1, rgba: 'AAAAAA==' } },
    );
    await program.answers(3);
    const problems = program.lines.filter((l) => l.kind === 'problem');
    expect(problems.map((p) => [p.subject, p.request, p.message])).toEqual([
      [undefined, undefined, expect.stringContaining('"no JSON" is not a JSON object')],
      [undefined, undefined, expect.stringContaining('either a text or an image')],
      ['x', undefined, expect.stringContaining('There is no run folder')],
      ['1', 3, 'This model reads texts, not images.'],
      ['1', 3, 'This model reads texts, not images.'],
    ]);
    // A newer request came in before it started.
    expect(program.lines).toContainEqual({ kind: 'answered', request: 2 });
    program.send({ kind: 'predict', request: 4, text });
    expect(predictions(await program.answers(4))).toHaveLength(2);
  });

  it.each([
    ['the end of standard input', (p: Program) => p.child.stdin!.end(), 0],
    ['SIGTERM', (p: Program) => p.child.kill('SIGTERM'), 130],
  ])('exits immediately on %s and leaves nothing behind', async (_, end, code) => {
    const program = new Program(run);
    await program.line('loaded');
    expect(readdirSync(program.temporary)).toHaveLength(1);
    program.send({ kind: 'predict', request: 1, text });
    end(program);
    expect(await program.ended).toBe(code);
    expect(readdirSync(program.temporary)).toEqual([]);
    expect(program.err).toBe('');
  });

  it('answers what was received before standard input ended', async () => {
    const p = new Program(run).send({ kind: 'predict', request: 1, text: 'the cat sat' });
    p.child.stdin!.end();
    expect(await p.ended).toBe(0);
    expect(p.lines.map((l) => l.kind)).toEqual(['loading', 'loaded', 'prediction', 'prediction', 'answered']);
  });

  it('answers lines of text with a table', () => {
    const r = lab.type(`${text}\n\n${'the cat '.repeat(20)}\n`, 'play', run, '--with', other);
    expect([r.code, r.err]).toEqual([
      0,
      expect.stringMatching(/Loading…\ntiny · \w{4}, step \d+: classifies texts into 2 labels\./),
    ]);
    const table = r.out.trimEnd().split('\n');
    expect(table).toHaveLength(6);
    expect(table[0]).toMatch(
      /^ {2}tiny · \w{4}, step \d+ +(pets|other) [<>\d.]+% +(pets|other) [<>\d.]+% +[\d.]+ ms +13 tokens$/,
    );
    expect(table[1]).toMatch(/^ {2}base model with this run’s head +/);
    expect(table[2]).toMatch(/^ {2}tiny · \w{4}, step/);
    expect(table[3]).toMatch(/16 tokens +truncated$/);
  });

  it('rejects requests for things that do not exist', () => {
    const said = (...args: string[]) => {
      const { code, err } = lab.run('play', ...args);
      return [code, err];
    };
    expect(said(run, '--at', '77')).toEqual([20, expect.stringContaining('no checkpoint of step 77')]);
    expect(said()).toEqual([2, expect.stringContaining('needs one run folder')]);
    expect(said(run, '--tokenizer', 'x')).toEqual([
      2,
      expect.stringContaining('--tokenizer applies to a model'),
    ]);
    expect(said(run, '--adapter', 'x:0.5')).toEqual([22, expect.stringMatching(/x does not exist/)]);
    expect(said(run, '--adapter', run)).toEqual([22, expect.stringContaining('has a trained head')]);
    expect(said('--model', 'x.onnx', '--with', run)).toEqual([
      2,
      expect.stringContaining('--with applies to a run'),
    ]);
    expect(said(run, '--top-p', '2')).toEqual([2, expect.stringContaining('--top-p a number above 0')]);
  });
});

describe('aurora play of models', () => {
  const greedy = fixture<Greedy[]>('language/greedy.json');
  const load = (name: string, adapter: boolean): PlayRequest => ({
    kind: 'load',
    subject: 'a',
    source: model(name, adapter),
  });

  it('generates the same text as PyTorch, with and without the adapter, character by character', async () => {
    const program = new Program().send(load('language', true));
    expect(await program.line('loaded')).toMatchObject({
      input: 'text',
      answer: 'text',
      name: 'language/model.onnx + adapter',
      base: 'model',
      labels: [],
      assumed: [],
    });
    for (const [request, wanted] of greedy.entries()) {
      program.send({ kind: 'generate', request, text: wanted.prompt, settings });
      const lines = await program.answers(request);
      for (const variant of ['adapted', 'base'] as const) {
        const { text, tokens, ended } = wanted[variant];
        const own = lines.filter((l) => 'variant' in l && l.variant === variant);
        const [promptTokens, count] = [wanted.ids.length, tokens.length];
        expect(own.at(-1)).toMatchObject({ kind: 'generated', text, tokens: count, promptTokens, ended });
        const pieces = own.flatMap((l) => (l.kind === 'token' ? [l.text] : []));
        expect(pieces.join('')).toBe(text);
        expect(pieces.length).toBeGreaterThan(4);
      }
    }
  });

  it('generates the same text for the same seed', async () => {
    const program = new Program().send(load('language', false));
    const drawn = async (request: number, seed: number) => {
      const warm = { ...settings, temperature: 5, topK: 20, topP: 0.95, seed };
      program.send({ kind: 'generate', request, text: 'The', settings: warm });
      await program.answers(request);
      return (await program.line('generated', { request })).text;
    };
    const first = await drawn(1, 7);
    expect(await drawn(2, 7)).toBe(first);
    expect(await drawn(3, 8)).not.toBe(first);
    expect((await program.line('loaded')).base).toBeUndefined();
  });

  it('stops between two tokens, on request or for a newer question', async () => {
    // This model has unlimited positions and declares no end-of-text token.
    const endless: PlaySource = {
      kind: 'model',
      model: resolve('test/fixtures/reference/more/neox.onnx'),
      tokenizer: resolve('test/fixtures/data/wordpiece/tokenizer.json'),
    };
    const program = new Program().send({ kind: 'load', subject: 'a', source: endless });
    expect((await program.line('loaded')).assumed).toEqual([
      expect.stringContaining('No end-of-text token is specified'),
    ]);
    const long = { ...settings, maxTokens: 100_000, temperature: 2, seed: 3 };
    program.send({ kind: 'generate', request: 1, text: 'the cat', settings: long });
    await program.line('token', { request: 1 });
    program.send({ kind: 'stop', request: 7 }, { kind: 'stop', request: 1 });
    const [{ text, ...stopped }] = (await program.answers(1)).filter((l) => l.kind === 'generated');
    expect(stopped.ended).toBe('stopped');
    expect(stopped.tokens).toBeGreaterThan(0);
    expect(stopped.tokens / stopped.tokensPerSecond).toBeGreaterThanOrEqual(stopped.secondsToFirst);
    const told = program.lines.flatMap((l) => (l.kind === 'token' ? [l.text] : []));
    expect(text).toContain(told.join(''));
    program.send({ kind: 'generate', request: 2, text: 'the cat', settings: long });
    await program.line('token', { request: 2 });
    program.send({ kind: 'generate', request: 3, text: 'the', settings: { ...long, maxTokens: 2 } });
    await program.answers(3);
    expect(await program.line('generated', { request: 2 })).toMatchObject({ ended: 'stopped' });
    expect(await program.line('generated', { request: 3 })).toMatchObject({ ended: 'length', tokens: 2 });
  });

  it("ends at the model's maximum length and rejects a longer prompt", async () => {
    const program = new Program().send(load('language', false));
    program.send({ kind: 'generate', request: 1, text: 'The '.repeat(40), settings });
    const full = (await program.answers(1)).find((l) => l.kind === 'generated')!;
    expect(full.ended).toBe('full');
    expect(full.promptTokens + full.tokens).toBe(96);
    program.send({ kind: 'generate', request: 2, text: 'The '.repeat(60), settings });
    expect(await program.line('problem', { request: 2 })).toMatchObject({
      message: expect.stringContaining('the model’s limit is 96'),
      hint: 'Shorten the prompt.',
    });
  });

  it('classifies an image like PyTorch', async () => {
    const answers =
      fixture<{ label: string; rgb: number[]; probabilities: number[] }[]>('image/answers.json');
    const program = new Program().send(load('image', false));
    expect(await program.line('loaded')).toMatchObject({
      input: 'image',
      answer: 'label',
      labels: ['disc', 'square', 'stripes', 'dots'],
      image: { width: 24, height: 24 },
      assumed: [],
    });
    for (const [request, { rgb, probabilities }] of answers.entries()) {
      const rgba = Buffer.from(rgb.flatMap((v, i) => (i % 3 === 2 ? [v, 255] : [v]))).toString('base64');
      program.send({ kind: 'predict', request, image: { width: 24, height: 24, rgba } });
      const [only, ...more] = predictions(await program.answers(request));
      expect(more).toEqual([]);
      expect(apart(only.probabilities, probabilities)).toBeLessThan(1e-5);
      expect(only.tokens).toBeUndefined();
    }
    program.send({ kind: 'predict', request: 9, image: { width: 2, height: 2, rgba: 'AAAA' } });
    expect((await program.line('problem', { request: 9 })).message).toContain('the model reads 24 × 24');
  });

  it("classifies a text like PyTorch, with the adapter's head and with its own", async () => {
    const answers = fixture<Mood[]>('text/answers.json');
    const program = new Program().send(load('text', true));
    expect(await program.line('loaded')).toMatchObject({ labels: ['sad', 'glad'], base: 'model' });
    for (const [request, { text, tokens, ...wanted }] of answers.entries()) {
      program.send({ kind: 'predict', request, text });
      const both = predictions(await program.answers(request));
      for (const l of both) {
        expect(apart(l.probabilities, wanted[l.variant])).toBeLessThan(1e-5);
        expect(l.tokens).toBe(tokens);
      }
    }
  });

  it("applies a run's own adapter from disk to its model", async () => {
    const run = trained('own');
    const adapter = join(run, 'adapter/best');
    const program = new Program().send(
      { kind: 'load', subject: 'run', source: { kind: 'run', run, at: 'best' } },
      { kind: 'load', subject: 'disk', source: { kind: 'model', model: lab.path('model.onnx'), adapter } },
      { kind: 'predict', request: 1, text: 'the cat played' },
    );
    const [a, b, c, d] = predictions(await program.answers(1));
    expect(apart(a.probabilities, c.probabilities)).toBeLessThan(1e-6);
    expect(apart(b.probabilities, d.probabilities)).toBeLessThan(1e-6);
    expect(await program.line('loaded', { subject: 'disk' })).toMatchObject({
      labels: ['other', 'pets'],
      base: 'model-with-head',
    });
  });

  it('reports a model that cannot answer and an adapter that does not fit', () => {
    const said = (...args: string[]) => {
      const { code, err } = lab.type('x\n', 'play', '--model', ...args);
      return [code, err.replace(/^.*error: /s, '')];
    };
    const [code, hidden] = said(lab.path('model.onnx'));
    expect(code).toBe(4);
    expect(hidden).toContain('has the inputs input_ids [batch, sequence], attention_mask [batch, sequence]');
    expect(hidden).toContain('and the outputs last_hidden_state');
    expect(hidden).toContain('its output is hidden states, not predictions');
    expect(said(join(FIXTURES, 'text/model.onnx'), '--adapter', join(FIXTURES, 'language/adapter'))).toEqual([
      22,
      expect.stringContaining('that the model does not have, such as h.0.c_attn'),
    ]);
    const language = join(FIXTURES, 'language');
    expect(said(join(language, 'model.onnx'), '--tokenizer', join(FIXTURES, 'nothing.json'))).toEqual([
      15,
      expect.stringContaining('nothing.json does not exist'),
    ]);
  });

  it('answers the path of an image, also after one that does not exist', () => {
    const model = join(FIXTURES, 'image/model.onnx');
    lab.write('red.png', RED);
    const lines = ['nowhere.png', 'red.png'].map((name) => `${lab.path(name)}\n`).join('');
    const { code, out, err } = lab.type(lines, 'play', '--model', model);
    expect(code).toBe(0);
    expect(err).toContain('nowhere.png does not exist');
    expect(out).toMatch(/\d+\.\d%/);
  });

  it('streams the text to a terminal', () => {
    const { code, out } = lab.type(
      'The weather\n',
      'play',
      '--model',
      join(FIXTURES, 'language/model.onnx'),
      '--adapter',
      join(FIXTURES, 'language/adapter'),
    );
    expect(code).toBe(0);
    expect(out).toMatch(
      /^language\/model\.onnx \+ adapter:\n is a soup of rain and salt\.\n {2}9 tokens, ended by the model · [\d.,]+ tokens\/s, the first after [\d.]+ ms\nbase model:\n in the north is cold and clear\.\n/,
    );
  });
});
