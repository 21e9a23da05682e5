import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOOLS } from '../../src/protocol/tools/tools';
import { Lab } from './lab';
import { type Agent, type Answer, connect } from './mcp-client';

/** The parts that start nothing, and the rules about files. */
describe('aurora mcp, asked to read', () => {
  const lab = new Lab();
  const elsewhere = mkdtempSync(join(tmpdir(), 'aurora-elsewhere-'));
  let agent: Agent;

  beforeAll(async () => {
    writeFileSync(join(elsewhere, 'secret.jsonl'), '{"text":"secret","label":"x"}\n');
    writeFileSync(join(elsewhere, 'secret.aurora.json'), lab.read('tiny.aurora.json'));
    symlinkSync(elsewhere, lab.path('link'));
    symlinkSync(join(elsewhere, 'secret.jsonl'), lab.path('linked.jsonl'));
    agent = await connect([lab.folder]);
  });
  afterAll(async () => {
    await agent?.close();
    lab.remove();
    rmSync(elsewhere, { recursive: true, force: true });
  });

  const changed = (name: string, change: (spec: Record<string, Record<string, unknown>>) => void): string => {
    const spec = JSON.parse(lab.read('tiny.aurora.json')) as Record<string, Record<string, unknown>>;
    change(spec);
    lab.write(name, JSON.stringify(spec, null, 2));
    return name;
  };

  it('lists all tools, with a schema and hints, and says in which order to use them', async () => {
    const { tools } = await agent.client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(Object.keys(TOOLS));
    for (const tool of tools) {
      expect(tool.inputSchema.type).toBe('object');
      expect(tool.description!.length).toBeGreaterThan(100);
      expect(tool.annotations).toMatchObject({ destructiveHint: false, openWorldHint: false });
    }
    const reading = tools.filter((tool) => tool.annotations!.readOnlyHint).map((tool) => tool.name);
    expect(reading).toEqual([
      'aurora_inspect_model',
      'aurora_validate_experiment',
      'aurora_follow_run',
      'aurora_compare_runs',
      'aurora_explain_run',
    ]);
    expect(agent.client.getInstructions()).toMatch(/aurora_validate_experiment, aurora_preflight/);
    expect(agent.client.getServerVersion()).toMatchObject({ name: 'aurora-lab', title: 'AuroRA Lab' });
  });

  it('inspects a model', async () => {
    const { data, text } = await agent.call('aurora_inspect_model', {
      model: 'model.onnx',
      batchSize: 2,
      maxLength: 16,
    });
    expect(data).toMatchObject({ model: 'model.onnx', parameters: 21_121, trainingStep: { batch: 2 } });
    expect((data.targetModules as object[])[0]).toEqual({ name: 'query', layers: 2, outByIn: ['32 × 32'] });
    expect(JSON.parse(text)).toEqual(data);
  });

  it('validates an experiment, and places its mistakes', async () => {
    const { data } = await agent.call('aurora_validate_experiment', { experiment: 'tiny.aurora.json' });
    expect(data).toMatchObject({
      valid: true,
      mistakes: [],
      experiment: { method: 'AuroRA r2', length: '4 epochs', batchSize: 8, model: 'model.onnx' },
    });
    changed('bad.aurora.json', (spec) => {
      spec.training!.epochs = -1;
      spec.adapter!.rnak = 2;
    });
    const bad = await agent.call('aurora_validate_experiment', { experiment: 'bad.aurora.json' });
    expect(bad.isError).toBe(false);
    const mistakes = bad.data.mistakes as { line: number; setting?: string; message: string }[];
    expect(bad.data.valid).toBe(false);
    const lines = lab.read('bad.aurora.json').split('\n');
    const epochs = mistakes.find(({ setting }) => setting === 'training.epochs')!;
    expect(lines[epochs.line - 1]).toContain('"epochs": -1');
    expect(JSON.stringify(mistakes)).toContain('rank');
  });

  it('names files that are missing or outside, before anything reads them', async () => {
    changed('missing.aurora.json', (spec) => (spec.data!.train = 'none.jsonl'));
    const { data } = await agent.call('aurora_validate_experiment', { experiment: 'missing.aurora.json' });
    expect(data.mistakes).toMatchObject([
      { setting: 'data.train', message: 'there is no file or folder none.jsonl' },
    ]);
    changed('outside.aurora.json', (spec) => (spec.data!.train = join(elsewhere, 'secret.jsonl')));
    const outside = await agent.call('aurora_validate_experiment', { experiment: 'outside.aurora.json' });
    expect(outside.data.mistakes).toMatchObject([
      { setting: 'data.train', message: expect.stringContaining('outside') },
    ]);
  });

  it.each<[string, object]>([
    ['aurora_inspect_model', { model: '../m.onnx' }],
    ['aurora_inspect_model', { model: '/etc/passwd' }],
    ['aurora_inspect_model', { model: 'link/secret.jsonl' }],
    ['aurora_validate_experiment', { experiment: 'link/secret.aurora.json' }],
    ['aurora_preflight', { experiment: 'link/secret.aurora.json' }],
    ['aurora_compare_runs', { experiment: '../other/x.aurora.json' }],
  ])('%s refuses %j', async (name, input) => {
    const { isError, text } = await agent.call(name, input);
    expect(isError).toBe(true);
    expect(text).toMatch(/is outside the workspace, so it is not read/);
    expect(agent.asked).toEqual([]);
  });

  it.each(['aurora_preflight', 'aurora_run_experiment'])(
    '%s refuses an experiment whose data is outside, also by a link, and asks nobody',
    async (name) => {
      for (const train of [join(elsewhere, 'secret.jsonl'), 'linked.jsonl', 'link/secret.jsonl']) {
        const experiment = changed('leak.aurora.json', (spec) => (spec.data!.train = train));
        const { isError, text } = await agent.call(name, { experiment });
        expect([isError, text]).toEqual([true, expect.stringContaining('outside the workspace')]);
      }
      expect(agent.asked).toEqual([]);
      expect(existsSync(lab.path('.aurora'))).toBe(false);
    },
  );

  it('answers a mistake in the input with the next step', async () => {
    const wrong = (input: object) => agent.call('aurora_run_experiment', input);
    const answers: Answer[] = [
      await wrong({}),
      await wrong({ experiment: 3 }),
      await wrong({ experiment: 'none.aurora.json' }),
      await wrong({ experiment: 'train.jsonl' }),
      await wrong({ experiment: 'tiny.aurora.json', settings: { 'data.train': '/etc/passwd' } }),
      await wrong({ experiment: 'tiny.aurora.json', settings: { 'training.epochs': -1 } }),
    ];
    expect(answers.map(({ isError }) => isError)).toEqual(Array(6).fill(true));
    expect(answers.map(({ text }) => text.split('\n')[0])).toEqual([
      '"experiment" must be given.',
      '"experiment" must be a string.',
      'There is no none.aurora.json in the workspace.',
      'train.jsonl is not an experiment file.',
      'The setting data.train cannot be changed for one run.',
      expect.stringContaining('training.epochs=-1'),
    ]);
    expect(agent.asked).toEqual([]);
  });

  it('an unknown tool is an error of the protocol', () =>
    expect(agent.call('toString')).rejects.toThrow(/There is no tool "toString"/));

  it('says that there are no runs', async () => {
    const { isError, text } = await agent.call('aurora_explain_run');
    expect(isError).toBe(true);
    expect(text).toMatch(/There are no runs in this workspace/);
  });
});

it('a client that cannot ask is refused, unless the server allows training', async () => {
  const lab = new Lab({ training: { epochs: 1 } });
  const run = { experiment: 'tiny.aurora.json' };
  try {
    const strict = await connect([lab.folder], false);
    const { isError, text } = await strict.call('aurora_run_experiment', run);
    expect(isError).toBe(true);
    expect(text).toMatch(/cannot ask the user[^]*--allow-training/);
    expect(existsSync(lab.path('.aurora'))).toBe(false);
    await strict.close();

    const open = await connect([lab.folder, '--allow-training', '--device', 'cpu', '--threads', '1'], false);
    const { data } = await open.call('aurora_run_experiment', run);
    const ended = await open.call('aurora_follow_run', { run: data.run, waitSeconds: 600 });
    expect(ended.data).toMatchObject({ state: 'finished' });
    expect(readdirSync(lab.path('.aurora/runs/tiny'))).toContain(data.run);
    await open.close();
  } finally {
    lab.remove();
  }
});

it('a folder that is not there is an error before the protocol starts', () => {
  const lab = new Lab();
  mkdirSync(lab.path('empty'));
  const { code, err, out } = lab.run('mcp', lab.path('none'));
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain('There is no folder');
  expect(lab.run('mcp', lab.path('empty'), '--device', 'abacus')).toMatchObject({ code: 2, out: '' });
  // Without a client, its input ends at once.
  expect(lab.run('mcp', lab.path('empty'))).toMatchObject({ code: 0, out: '' });
  lab.remove();
});
