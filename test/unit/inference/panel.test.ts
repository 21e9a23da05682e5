import { describe, expect, it, vi } from 'vitest';
import { PlaygroundSession } from '../../../src/extension/panels/playground/playground-session';
import type { ProgramResult } from '../../../src/extension/launcher/client';
import { AuroraError } from '../../../src/base/errors';
import {
  parsePlaygroundMessage,
  parsePlaygroundOpen,
  type PlaygroundToPage,
} from '../../../src/protocol/panels/playground';
import { applyLine, type PlaygroundView } from '../../../src/protocol/panels/playground-view';
import { GENERATION_DEFAULTS } from '../../../src/protocol/play-question';
import type { PlayLine, PlayRequest } from '../../../src/protocol/playground';

const facts: PlayLine = {
  kind: 'loaded',
  subject: 'own',
  input: 'text',
  answer: 'label',
  name: 'x',
  labels: ['a', 'b'],
  samples: true,
  assumed: [],
};

const DRAWING = { steps: 25, guidance: 7.5, sampler: 'ddim', seed: 3, width: 512, height: 512 } as const;

describe('messages from the page', () => {
  it.each([
    { type: 'ask', text: 'x' },
    { type: 'askImage', image: { width: 1, height: 1, rgba: 'AAAAAA==' } },
    { type: 'generate', text: 'x', settings: GENERATION_DEFAULTS },
    { type: 'generate', text: 'x', asTyped: true, settings: GENERATION_DEFAULTS },
    { type: 'draw', text: 'x', settings: DRAWING },
    { type: 'draw', text: 'x', negative: 'y', settings: DRAWING },
    { type: 'savePicture', subject: 'own', variant: 'base' },
    { type: 'stop' },
    { type: 'sample' },
    { type: 'tokens' },
    { type: 'compare' },
    { type: 'restore', runs: ['/a'] },
    { type: 'restore', runs: [], weight: 0.5, adapters: [{ path: '/b', weight: -1 }] },
    { type: 'combine' },
    { type: 'separate', run: '/b' },
    { type: 'weigh', weights: [1, 0.5] },
    { type: 'remove', subject: 'a' },
    { type: 'restart' },
    { type: 'copy', text: 'x' },
  ])('include $type', (message) => expect(parsePlaygroundMessage(message)).toEqual(message));

  it.each([
    undefined,
    null,
    'ask',
    {},
    { type: 'sing' },
    { type: 'ask' },
    { type: 'generate', text: 'x', settings: {} },
    { type: 'draw', text: 'x', settings: { ...DRAWING, width: 500 } },
    { type: 'savePicture', subject: 'own', variant: 'other' },
    { type: 'restore', runs: [1] },
    { type: 'restore', runs: [], adapters: [{ path: '/b', weight: 1 }] },
    { type: 'restore', runs: [], weight: 1, adapters: ['/b'] },
    { type: 'separate' },
    { type: 'weigh', weights: ['1'] },
    { type: 'askImage', image: { width: 1 } },
  ])('do not include %j', (message) => expect(parsePlaygroundMessage(message)).toBeUndefined());

  it('restore what the panel was opened for after a reload', () => {
    const run = { kind: 'run', run: '/r', at: 120 };
    const model = { kind: 'model', model: '/m.onnx', adapter: '/a' };
    expect([run, model].map(parsePlaygroundOpen)).toEqual([run, model]);
    expect(parsePlaygroundOpen({ kind: 'model', model: '/m.onnx' })).toEqual({
      kind: 'model',
      model: '/m.onnx',
    });
    for (const wrong of [undefined, {}, { ...run, at: 'first' }, { ...model, adapter: 1 }, { kind: 'x' }])
      expect(parsePlaygroundOpen(wrong)).toBeUndefined();
  });
});

describe('the view', () => {
  const view = (): PlaygroundView => ({
    program: 'running',
    subjects: [{ id: 'own', title: 'x', answers: {} }],
    request: 2,
    busy: true,
  });
  const of = { subject: 'own', variant: 'base' } as const;

  it('appends tokens and starts over with the next question', () => {
    const v = view();
    for (const [request, text] of [
      [1, 'a'],
      [2, 'b'],
      [2, 'c'],
    ] as const)
      applyLine(v, { kind: 'token', request, ...of, text });
    expect(v.subjects[0].answers.base).toEqual({ request: 2, text: 'bc' });
    applyLine(v, { kind: 'answered', request: 1 });
    expect(v.busy).toBe(true);
    applyLine(v, { kind: 'answered', request: 2 });
    expect(v.busy).toBe(false);
  });

  it('keeps the text that spans belong to, and ignores spans of an earlier text', () => {
    const v = { ...view(), text: 'Oslo' };
    const spans = [{ start: 0, end: 4, label: 'LOC', probability: 0.9 }];
    const line = (request: number) =>
      ({ kind: 'prediction', ...of, request, spans, seconds: 0 }) satisfies PlayLine;
    applyLine(v, line(1));
    expect(v.subjects[0].answers.base).toBeUndefined();
    applyLine(v, line(2));
    // The next question does not change what has been answered.
    Object.assign(v, { text: 'Rome', request: 3 });
    applyLine(v, line(2));
    expect(v.subjects[0].answers.base).toEqual({ request: 2, prediction: line(2), asked: 'Oslo' });
  });

  it('shows a problem at the subject, at its answer or beside the question', () => {
    const v = view();
    applyLine(v, { kind: 'problem', subject: 'own', request: 2, message: 'answer' });
    applyLine(v, { kind: 'problem', subject: 'own', message: 'subject', hint: 'next' });
    applyLine(v, { kind: 'problem', subject: 'own', request: 9, message: 'sample' });
    // This subject was removed in the meantime.
    applyLine(v, {
      kind: 'prediction',
      request: 2,
      subject: 'gone',
      variant: 'base',
      probabilities: [],
      seconds: 0,
    });
    expect(v.subjects[0]).toMatchObject({
      trouble: { message: 'answer', request: 2 },
      problem: { message: 'subject', hint: 'next' },
    });
    expect(v.problem).toEqual({ message: 'sample', hint: undefined });
  });
});

/** A session with a program that only records its input. */
function session(starts: (() => Promise<never>)[] = []) {
  const posted: PlaygroundToPage[] = [];
  const programs: {
    sent: PlayRequest[];
    hear(line: PlayLine): void;
    end(r: ProgramResult): void;
    killed?: string;
  }[] = [];
  const failed: unknown[] = [];
  const tokens: string[] = [];
  const offered: string[][] = [];
  const saved: { name: string; png: string }[] = [];
  const made = new PlaygroundSession(
    { kind: 'run', run: '/r', at: 'best' },
    {
      start(onLine) {
        const fails = starts.shift();
        if (fails) return fails();
        let end!: (r: ProgramResult) => void;
        const ended = new Promise<ProgramResult>((done) => (end = done));
        const program: (typeof programs)[number] = {
          sent: [],
          hear: (line) => onLine(JSON.stringify(line)),
          end,
        };
        programs.push(program);
        return Promise.resolve({
          ended,
          send: (line: string) => program.sent.push(JSON.parse(line) as PlayRequest),
          kill: (why: string) => (program.killed = why),
        });
      },
      post: (message) => posted.push(structuredClone(message)),
      titleOf: (run) => `title of ${run}`,
      shapesOf: () => undefined,
      pickRuns: () => Promise.resolve(['/other', '/r']),
      pickAdapters: (run, there) => {
        offered.push([run, ...there]);
        return Promise.resolve(['/style']);
      },
      copy: () => undefined,
      showTokens: (run, row) => tokens.push(`${row} of ${run}`),
      savePicture: (name, png) => {
        saved.push({ name, png: Buffer.from(png).toString() });
        return Promise.resolve(`${name}.png`);
      },
      failed: (e) => failed.push(e),
    },
  );
  const shown = () => posted.findLast((m) => m.type === 'snapshot')!.view;
  return { made, posted, programs, failed, saved, tokens, offered, shown };
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

describe('the session', () => {
  it('draws a picture, follows its steps, and saves it under its prompt, seed and model', async () => {
    const { made, programs, posted, saved, shown } = session();
    made.snapshot();
    await soon();
    const [{ hear, sent }] = programs;
    hear({ ...facts, answer: 'picture' });
    made.receive({ type: 'draw', text: 'a dog', negative: 'blurry', settings: DRAWING });
    expect(sent.at(-1)).toEqual({
      ...{ kind: 'draw', request: 1, text: 'a dog', negative: 'blurry' },
      settings: DRAWING,
    });
    const of = { request: 1, subject: 'own', variant: 'base' } as const;
    hear({ kind: 'drawing', ...of, step: 3, of: 25 });
    made.snapshot();
    expect(shown().subjects[0].answers.base).toEqual({ request: 1, drawing: { step: 3, of: 25 } });
    const png = Buffer.from('the picture').toString('base64');
    hear({ kind: 'picture', ...of, width: 512, height: 512, png, seconds: 2 });
    hear({ kind: 'answered', request: 1 });
    made.receive({ type: 'savePicture', subject: 'own', variant: 'base' });
    // There is none of the adapted model.
    made.receive({ type: 'savePicture', subject: 'own', variant: 'adapted' });
    await soon();
    expect(saved).toEqual([{ name: 'a dog 3 Base model', png: 'the picture' }]);
    // Lines that wait to be shown may come after it.
    expect(posted).toContainEqual({ type: 'saved', name: 'a dog 3 Base model.png' });
    // The next one starts again.
    made.receive({ type: 'draw', text: 'a cat', settings: DRAWING });
    expect(shown().subjects[0].answers).toEqual({});
    made.dispose();
  });

  it('opens the tokens of the validation row that is asked, if there is one', async () => {
    const { made, programs, tokens } = session();
    made.snapshot();
    await soon();
    made.receive({ type: 'tokens' });
    expect(tokens).toEqual([]);
    const row = { text: 'x', label: 'a', file: 'dev.csv', line: 7 };
    programs[0].hear({ kind: 'sample', request: 1, subject: 'own', ...row });
    made.receive({ type: 'tokens' });
    expect(tokens).toEqual(['dev.csv:7 of /r']);
    made.dispose();
  });

  it('loads its run again with the adapters of others, weighs them, and leaves them out again', async () => {
    const { made, programs, shown, offered } = session();
    made.snapshot();
    await soon();
    const [{ hear, sent }] = programs;
    hear(facts);
    made.receive({ type: 'ask', text: 'x' });
    made.receive({ type: 'combine' });
    await soon();
    expect(offered).toEqual([['/r', '/r']]);
    const own = { kind: 'run', run: '/r', at: 'best' };
    const load = (weight: number, ...adapters: object[]) => ({
      kind: 'load',
      subject: 'own',
      source: { ...own, weight, adapters },
    });
    expect(sent.slice(-3)).toMatchObject([
      { kind: 'stop', request: 1 },
      load(1, { path: '/style', weight: 1 }),
      { kind: 'predict', request: 2, text: 'x' },
    ]);
    const combined = (weight: number, of: number) => ({
      weight,
      adapters: [{ path: '/style', title: 'title of /style', weight: of }],
    });
    expect(shown().subjects[0].combined).toEqual(combined(1, 1));
    expect(shown().subjects[0].facts).toBeUndefined();
    made.receive({ type: 'weigh', weights: [0.8, 0.4] });
    expect(sent.slice(-2)).toMatchObject([
      { kind: 'weigh', subject: 'own', weights: [0.8, 0.4] },
      { kind: 'predict', request: 3 },
    ]);
    expect(shown().subjects[0].combined).toEqual(combined(0.8, 0.4));
    // One too many is for a list that has changed.
    made.receive({ type: 'weigh', weights: [1, 1, 1] });
    expect(sent.at(-1)).toMatchObject({ kind: 'predict', request: 3 });
    made.receive({ type: 'separate', run: '/style' });
    expect(sent.findLast((r) => r.kind === 'load')).toEqual({ kind: 'load', subject: 'own', source: own });
    expect(shown().subjects[0].combined).toBeUndefined();
    made.receive({ type: 'restore', runs: [], weight: 0.5, adapters: [{ path: '/a', weight: 2 }] });
    expect(sent.findLast((r) => r.kind === 'load')).toEqual(load(0.5, { path: '/a', weight: 2 }));
    made.dispose();
  });

  it('starts one program once its page is ready', async () => {
    const { made, programs, shown } = session();
    expect(programs).toHaveLength(0);
    made.snapshot();
    made.receive({ type: 'ask', text: 'early' });
    await soon();
    made.snapshot();
    expect(programs).toHaveLength(1);
    expect(shown()).toMatchObject({ program: 'running', subjects: [{ id: 'own', title: 'title of /r' }] });
    // Requests from before the program was ready are sent now.
    expect(programs[0].sent.map((r) => r.kind)).toEqual(['load', 'predict']);
    made.dispose();
    expect(programs[0].killed).toBe('was closed with its panel');
  });

  it('posts lines at most ten times a second and drops those that a snapshot already contains', async () => {
    vi.useFakeTimers();
    try {
      const { made, programs, posted } = session();
      made.snapshot();
      await vi.advanceTimersByTimeAsync(0);
      for (let i = 0; i < 50; i++) {
        programs[0].hear({ kind: 'token', request: 1, subject: 'own', variant: 'adapted', text: String(i) });
        await vi.advanceTimersByTimeAsync(20);
      }
      const lines = posted.filter((m) => m.type === 'lines');
      expect(lines.length).toBeGreaterThan(5);
      expect(lines.length).toBeLessThanOrEqual(11);
      programs[0].hear({ kind: 'token', request: 1, subject: 'own', variant: 'adapted', text: 'last' });
      made.snapshot();
      const before = posted.length;
      await vi.advanceTimersByTimeAsync(500);
      expect(posted.slice(before)).toEqual([]);
      made.dispose();
    } finally {
      vi.useRealTimers();
    }
  });

  it('repeats the question for a run that is added and adds each run once', async () => {
    const { made, programs, shown } = session();
    made.snapshot();
    await soon();
    programs[0].hear(facts);
    made.receive({ type: 'ask', text: 'x' });
    made.receive({ type: 'restore', runs: ['/other'] });
    made.receive({ type: 'compare' });
    await soon();
    expect(shown().subjects.map((s) => s.run)).toEqual([undefined, '/other', '/r']);
    expect(programs[0].sent.filter((r) => r.kind === 'predict')).toHaveLength(3);
    const [, { id }] = shown().subjects;
    made.receive({ type: 'remove', subject: 'own' });
    made.receive({ type: 'remove', subject: id });
    expect(shown().subjects.map((s) => s.run)).toEqual([undefined, '/r']);
    expect(programs[0].sent.at(-1)).toEqual({ kind: 'unload', subject: id });
    made.dispose();
  });

  it('restarts a program that ended unexpectedly, without the question that may have ended it', async () => {
    const { made, programs, shown, failed } = session();
    made.snapshot();
    await soon();
    programs[0].hear(facts);
    made.receive({ type: 'ask', text: 'x' });
    programs[0].end({ code: 137, stdout: '', stderr: 'out of memory' });
    await soon();
    await soon();
    expect(programs).toHaveLength(2);
    expect(shown().notice).toBe(
      'The model’s process ended unexpectedly and was restarted. Try again. aurora play ended with code 137: out of memory.',
    );
    expect(programs[1].sent.map((r) => r.kind)).toEqual(['load']);
    expect(shown()).toMatchObject({ busy: false, program: 'running' });
    // It ends before it has loaded anything, so it is not restarted without a request.
    programs[1].end({ code: 1, stdout: '', stderr: '' });
    await soon();
    expect(programs).toHaveLength(2);
    expect(shown()).toMatchObject({ program: 'ended', notice: expect.stringContaining('with code 1') });
    made.receive({ type: 'restart' });
    await soon();
    expect(programs).toHaveLength(3);
    expect(shown().notice).toBeUndefined();
    expect(failed).toHaveLength(2);
    made.dispose();
  });

  it('starts one program when Start Again is pressed twice', async () => {
    const { made, programs } = session([() => Promise.reject(new AuroraError('device', 'Busy.', 'Wait.'))]);
    made.snapshot();
    await soon();
    const before = programs.length;
    made.receive({ type: 'restart' });
    made.receive({ type: 'restart' });
    await soon();
    expect(programs.length - before).toBe(1);
    made.dispose();
  });

  it('explains why a program cannot be started', async () => {
    const { made, shown } = session([
      () => Promise.reject(new AuroraError('device', 'No runtime.', 'Install the extension again.')),
    ]);
    made.snapshot();
    await soon();
    expect(shown()).toMatchObject({
      program: 'ended',
      notice: 'The model’s process is not running. No runtime. Install the extension again.',
    });
  });
});
