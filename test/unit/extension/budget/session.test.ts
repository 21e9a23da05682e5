import { resolve } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { estimate } from '../../../estimate';
import { loadModel } from '../../../../src/graph/file/load';
import { summarize } from '../../../../src/graph/summary';
import { BudgetSession } from '../../../../src/extension/panels/budget/budget-session';
import { adapterDefaults } from '../../../../src/experiment/adapter-defaults';
import { aboutMethod, LAYER_METHODS } from '../../../../src/experiment/methods';
import type {
  BudgetAnswer,
  BudgetFields,
  BudgetSetup,
  BudgetToPage,
} from '../../../../src/protocol/panels/budget';

const FILE = resolve('test/fixtures/reference/tiny.aurora.json');
const BERT = resolve('test/fixtures/reference/bert.onnx');
const LLAMA = resolve('test/fixtures/reference/llama.onnx');

/** A session as the panel opens it, with the real model reader. */
class Lab {
  readonly said: BudgetToPage[] = [];
  /** Lets a test delay the reading of a model. */
  gate: Promise<void> = Promise.resolve();
  readonly session: BudgetSession;
  private seq = 0;

  constructor(file?: string, model?: string) {
    const inspect = async (path: string) => {
      await this.gate;
      return summarize(loadModel(path));
    };
    this.session = new BudgetSession(
      {
        post: (m) => this.said.push(m),
        modelFiles: () => Promise.resolve([BERT, LLAMA].map((path) => ({ path, label: path.slice(-10) }))),
        inspect,
        cached: () => undefined,
        estimate,
      },
      file,
      model,
    );
  }

  get setup(): BudgetSetup {
    return this.said.filter((m) => m.type === 'setup').at(-1)!;
  }

  async ask(over: Partial<BudgetFields> = {}): Promise<BudgetAnswer> {
    const seq = ++this.seq;
    await this.session.compute(seq, { ...this.setup.fields, ...over });
    return this.said.filter((m) => m.type === 'answer').find((m) => m.seq === seq)!;
  }
}

async function opened(text?: string): Promise<Lab> {
  const lab = new Lab(text === undefined ? undefined : FILE);
  await lab.session.show(text);
  return lab;
}

const TEXT = `{
  "model": { "path": "bert.onnx", "maxLength": 16 },
  "adapter": { "targetModules": ["query"], "rank": 3, "rankPattern": { "layer.1.query": 5 } },
  "training": { "batchSize": 4 } // small
}`;

it('does not wait for a regular expression that takes too long and reports it at its field', async () => {
  const wait = vi.spyOn(Atomics, 'wait');
  const lab = await opened(TEXT);
  const answer = await lab.ask({ targets: 'regex', regex: '(.*.*.*.*.*.*.*.*.*.*.*.*.*.*)+!!?%' });
  expect(answer.problems).toMatchObject([
    { field: 'regex', message: expect.stringContaining('takes more than 100 ms') as string },
  ]);
  expect(wait).not.toHaveBeenCalled();
  wait.mockRestore();
});

describe('without an experiment', () => {
  it("opens with the paper's first model and settings and the paper's counts", async () => {
    const lab = await opened();
    expect(lab.setup.experiment).toBeUndefined();
    const { budget, changes } = await lab.ask();
    expect([budget?.adapter.parameters, budget?.lora.parameters]).toEqual([74_208, 294_912]);
    expect(changes).toBeUndefined();
  });

  it('offers the models of the workspace and all six shapes', async () => {
    const { models } = (await opened()).setup;
    expect(models.filter((m) => m.kind === 'file').length).toBe(2);
    expect(models.filter((m) => m.kind === 'paper').map((m) => m.label)).toEqual([
      'RoBERTa-Base',
      'RoBERTa-Large',
      'ViT-Base',
      'ViT-Large',
      'LLaMA3-8B',
      'SDXL (U-Net)',
    ]);
  });

  it("includes the paper's results for its own models only", async () => {
    const lab = await opened();
    const paperOf = async (model: string) => {
      const answer = await lab.ask({ model });
      return answer.model.state === 'ready' ? answer.model.paper : undefined;
    };
    expect(await paperOf('paper:roberta-base')).toMatchObject({
      source: 'arXiv 2505.18738',
      results: { methods: [{ average: 85.2 }, { average: 85.2 }, { average: 87.1 }] },
    });
    for (const { id } of lab.setup.models)
      expect((await paperOf(id)) !== undefined, id).toBe(id.startsWith('paper:'));
  });

  it('answers for the largest shapes', async () => {
    const lab = await opened();
    const sdxl = { model: 'paper:sdxl', targets: 'all-linear' as const };
    for (const rank of ['2', '11']) {
      const { budget } = await lab.ask({ ...sdxl, rank });
      expect(budget?.modules.length).toBe(722);
    }
  });
});

describe('with an experiment', () => {
  it("opens with the experiment's values, includes its other settings and lists them", async () => {
    const lab = await opened(TEXT);
    expect(lab.setup.fields).toMatchObject({ targets: 'names', names: 'query', rank: '3', tokens: '64' });
    expect(lab.setup.experiment).toEqual({
      name: 'tiny.aurora.json',
      others: ['adapter.rankPattern: {"layer.1.query":5}'],
      problems: [],
    });
    const answer = await lab.ask();
    expect(lab.said.some((m) => m.type === 'reading' && m.label === 'reference/bert.onnx')).toBe(true);
    expect(answer.budget?.modules.map((m) => m.rank)).toEqual([3, 5]);
    expect(answer.model.state === 'ready' && answer.model.endings[0]).toEqual({
      name: 'query',
      modules: 2,
      shapes: ['32 × 32'],
    });
    expect(answer.changes).toEqual([]);
  });

  it('follows edits of the file and keeps typed values if the edit does not concern them', async () => {
    const lab = await opened(TEXT);
    await lab.ask({ rank: '7' });
    const setups = () => lab.said.filter((m) => m.type === 'setup').length;
    await lab.session.follow(TEXT.replace('small', 'tiny'));
    expect(setups()).toBe(1);
    await lab.session.follow(TEXT.replace('"rank": 3', '"rank": 6'));
    expect([setups(), lab.setup.fields.rank]).toEqual([2, '6']);
  });

  it('keeps typed values while its page is hidden', async () => {
    const lab = await opened(TEXT);
    await lab.ask({ rank: '7' });
    await lab.session.show(TEXT);
    expect(lab.setup.fields.rank).toBe('7');
  });

  it('lists what a write would change and returns a single edit', async () => {
    const lab = await opened(TEXT);
    const fields = { ...lab.setup.fields, rank: '4', names: 'query, value' };
    const { changes } = await lab.ask(fields);
    expect(changes).toEqual(['adapter.targetModules: ["query"] → ["query", "value"]', 'adapter.rank: 3 → 4']);
    const { offset, length, content } = lab.session.edit(fields)!;
    expect(TEXT.slice(0, offset) + content + TEXT.slice(offset + length)).toBe(
      TEXT.replace('["query"], "rank": 3', '["query", "value"], "rank": 4'),
    );
    expect(lab.session.edit(lab.setup.fields)).toBeUndefined();
  });

  it("writes a different model's path relative to the experiment, and never a shape without a model", async () => {
    const lab = await opened(TEXT);
    const other = { model: `file:${LLAMA}`, targets: 'all-linear' as const };
    expect((await lab.ask(other)).changes).toEqual([
      'model.path: "bert.onnx" → "llama.onnx"',
      'adapter.targetModules: ["query"] → "all-linear"',
    ]);
    const paper = await lab.ask({ model: 'paper:vit-base' });
    expect(paper.cannotWrite).toContain('layer shapes and cannot be trained');
    expect(() => lab.session.edit({ ...lab.setup.fields, model: 'paper:vit-base' })).toThrow(
      'layer shapes and cannot be trained',
    );
  });

  it.each<[string, string, string[]]>([
    [
      'half-typed JSON',
      '{ "model": { "path": "bert.onnx" }, "adapter": {',
      ['Line 1: this is not valid JSON'],
    ],
    ['no model', '{}', ['has no model.path']],
    [
      'no adapter',
      '{ "model": {"path": "bert.onnx"}, "adapter": {"method": "none"} }',
      ['trains no adapter'],
    ],
    [
      'an unknown method',
      '{ "model": {"path": "bert.onnx"}, "adapter": {"method": "x"} }',
      ['which is unknown'],
    ],
    [
      'a bad pattern',
      '{ "model": {"path": "bert.onnx"}, "adapter": {"rankPattern": {"a": 0}} }',
      ['rankPattern'],
    ],
    [
      'sections of the wrong kind',
      '{ "model": 1, "adapter": [] }',
      ['model is not', 'adapter is not', 'no model'],
    ],
  ])('reports what is wrong with the file and shows the rest: %s', async (_, text, problems) => {
    const lab = await opened(text);
    const said = lab.setup.experiment!.problems;
    expect(said.length).toBe(problems.length);
    problems.forEach((p, i) => expect(said[i]).toContain(p));
    expect((await lab.ask()).budget).toBeDefined();
  });

  it('shows an invalid value of the file in its field', async () => {
    const lab = await opened('{ "model": {"path": "bert.onnx"}, "adapter": {"rank": "two"} }');
    expect(lab.setup.fields.rank).toBe('two');
    expect((await lab.ask()).problems).toEqual([
      { field: 'rank', message: 'The rank is two, but it must be a whole number of at least 1.' },
    ]);
  });

  it('names a missing model', async () => {
    const lab = await opened('{ "model": {"path": "gone.onnx"} }');
    const { model, budget } = await lab.ask();
    expect(model).toMatchObject({ state: 'failed', message: expect.stringContaining('gone.onnx') });
    expect(budget).toBeUndefined();
  });
});

describe('settings without a control', () => {
  const withAdapter = (adapter: object) =>
    JSON.stringify({ model: { path: 'bert.onnx' }, adapter: { targetModules: ['query'], ...adapter } });

  it('counts a number of blocks instead of their size, and says so', async () => {
    const lab = await opened(withAdapter({ method: 'oft', blockNum: 2 }));
    expect(lab.setup.experiment?.others).toEqual(['adapter.blockNum: 2']);
    const { budget } = await lab.ask();
    // Two layers of 32 inputs: 2 blocks of 16.
    expect(budget?.adapter.parameters).toBe(2 * 2 * ((16 * 15) / 2));
    expect(budget?.warnings).toEqual([
      'The experiment sets adapter.blockNum to 2, so the block size is not used.',
    ]);
    const refused = await (await opened(withAdapter({ method: 'boft', blockNum: 5 }))).ask();
    expect(refused.problems).toMatchObject([
      { field: 'blockSize', message: expect.stringContaining('blockNum 5') as string },
    ]);
  });

  it('does not count rows of the embedding as layers', async () => {
    const lab = await opened(withAdapter({ method: 'trainable-tokens', tokenIndices: [1, 2] }));
    expect(lab.setup.experiment?.problems).toEqual([
      expect.stringContaining('are rows of the embedding, which the calculator does not count'),
    ]);
    expect(lab.setup.fields.method).toBe('aurora');
  });

  it('says what is trained besides and is not counted', async () => {
    const besides = { modulesToSave: ['classifier'], trainableTokenIndices: [1] };
    const { budget } = await (await opened(withAdapter({ method: 'lora', rank: 4, ...besides }))).ask();
    expect(budget?.adapter.parameters).toBe(2 * 4 * 64);
    expect(budget?.warnings).toEqual([
      'What adapter.modulesToSave names is trained besides, and is not counted here.',
      'What adapter.trainableTokenIndices names is trained besides, and is not counted here.',
    ]);
  });
});

describe('invalid input', () => {
  it.each<[Partial<BudgetFields>, string, RegExp]>([
    [{ rank: '0' }, 'rank', /at least 1/],
    [{ rank: '' }, 'rank', /empty/],
    [{ rank: '1.5' }, 'rank', /whole number/],
    [{ rank: '769' }, 'rank', /too large for the layer roberta.*at most 768/],
    [{ loraRank: '800' }, 'loraRank', /768/],
    [{ alpha: '-1' }, 'alpha', /above 0/],
    [{ gridSize: 'x' }, 'gridSize', /whole number/],
    [{ splineOrder: '4' }, 'splineOrder', /1, 2 or 3/],
    [{ spline: 'each' }, 'spline', /is each, but it must be shared, per-dimension or per-pair/],
    [{ tokens: '0' }, 'tokens', /at least 1/],
    [{ names: ' , ' }, 'names', /No module is selected/],
    [{ names: 'qeury' }, 'names', /matched none of the 72.*query/],
    [{ targets: 'regex', regex: '(' }, 'regex', /not a valid regular expression/],
    [{ targets: 'regex', regex: '' }, 'regex', /empty/],
    [{ targets: 'regex', regex: 'query' }, 'regex', /matched none/],
  ])('is reported at its field: %j', async (fields, field, message) => {
    const { problems, budget, model } = await (await opened()).ask(fields);
    expect(problems.map((p) => p.field)).toEqual([field]);
    expect(problems[0].message).toMatch(message);
    expect(budget).toBeUndefined();
    expect(model.state).toBe('ready');
  });

  it.each<[Partial<BudgetFields>, string, RegExp]>([
    [
      { method: 'c3a', blockSize: '7' },
      'blockSize',
      /blockSize 7 does not divide the sizes of a layer of 768/,
    ],
    [
      { method: 'boft', blockSize: '7' },
      'blockSize',
      /blockSize 7 does not fit .*must divide its 768 inputs/,
    ],
    [{ method: 'oft', blockSize: '1' }, 'blockSize', /leaves blocks of one input/],
    [{ method: 'oft', blockSize: '' }, 'blockSize', /The block size is empty/],
    [{ method: 'gralora', rank: '3' }, 'rank', /rank 3 is not a multiple of adapter.graloraK 2/],
    [{ method: 'shira', rank: '400' }, 'rank', /rank 400 is too large for SHiRA/],
    [{ method: 'fourierft', frequencies: '600000' }, 'frequencies', /frequencies/],
  ])(
    'for layers that a method does not allow is reported at its size: %j',
    async (fields, field, message) => {
      const { problems, budget } = await (await opened()).ask(fields);
      expect(problems.map((p) => p.field)).toEqual([field]);
      expect(problems[0].message).toMatch(message);
      expect(budget).toBeUndefined();
    },
  );

  it('counts every method at its default size', async () => {
    const lab = await opened();
    for (const method of LAYER_METHODS) {
      const { size } = aboutMethod(method);
      const own = size && { [size]: String(adapterDefaults(method)[size]) };
      const { budget, problems } = await lab.ask({ method, ...own });
      expect([problems, budget?.adapter.parameters], method).toEqual([[], expect.any(Number)]);
    }
  });

  it('counts a spline for each pair', async () => {
    const { budget } = await (await opened()).ask({ spline: 'per-pair' });
    expect(budget?.adapter.parameters).toBe(74_592);
    expect(budget?.formula).toBe('r(in + out) + r² + r²(5 + 3)');
  });

  it('does not include the spline settings of LoRA', async () => {
    const { problems, budget } = await (await opened()).ask({ method: 'lora', gridSize: '', rank: '8' });
    expect([problems, budget?.adapter.parameters]).toEqual([[], 294_912]);
  });
});

it('only the latest request is answered if an earlier one is still reading its model', async () => {
  const lab = await opened();
  let open!: () => void;
  lab.gate = new Promise((done) => (open = done));
  const first = lab.ask({ model: `file:${BERT}` });
  const second = await lab.ask();
  open();
  expect(await first).toBeUndefined();
  expect(second.budget?.adapter.parameters).toBe(74_208);
});

it('a calculator that is opened for a model begins with it', async () => {
  const lab = new Lab(undefined, LLAMA);
  await lab.session.show(undefined);
  expect(lab.setup.fields.model).toBe(`file:${LLAMA}`);
  expect(lab.setup.models.filter((m) => m.id === `file:${LLAMA}`)).toHaveLength(1);
  expect((await lab.ask()).model).toMatchObject({ state: 'ready' });
});

describe('the estimate of a step', () => {
  const stepOf = async (lab: Lab, over: Partial<BudgetFields>) => {
    const fields = { ...lab.setup.fields, ...over };
    await lab.session.estimate(7, fields, { batch: 4, length: 16 });
    return lab.said.filter((m) => m.type === 'step').at(-1);
  };

  it('is for the settings of the page', async () => {
    const lab = await opened(TEXT);
    const query = await stepOf(lab, { names: 'query', rank: '4' });
    expect(query).toMatchObject({ seq: 7, cost: { method: 'aurora', rank: 4, batch: 4, length: 16 } });
    const memory = (step: typeof query) => step!.cost!.memory!.activations;
    expect(memory(await stepOf(lab, { targets: 'all-linear', rank: '4' }))).toBeGreaterThan(memory(query));
    const regex = await stepOf(lab, { targets: 'regex', regex: '.*query', rank: '4' });
    expect(memory(regex)).toBe(memory(query));
  });

  it("is not given for the paper's shapes", async () => {
    const lab = await opened();
    expect(await stepOf(lab, { model: 'paper:roberta-base' })).toBeUndefined();
  });
});
