import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ranksIn } from '../../src/protocol/ranks';
import { readRun } from '../read-run';
import { CLI, Lab } from './lab';

const STARTS = ['pissa', 'olora', 'eva', 'corda'] as const;
type Start = (typeof STARTS)[number];

const lab = new Lab({ training: { maxSteps: 12, evaluateEvery: 6, checkpointEvery: 4 } });
afterAll(() => lab.remove());

const SETTINGS: Record<Start, object> = {
  pissa: {},
  olora: {},
  eva: { evaRho: 4 },
  corda: { cordaMethod: 'kpm', cordaSamples: 12 },
};

function experiment(initialization: Start): string {
  const name = `${initialization}.aurora.json`;
  const base = JSON.parse(lab.read('tiny.aurora.json')) as Record<string, unknown>;
  const adapter = {
    method: 'lora',
    rank: 2,
    targetModules: 'all-linear',
    initialization,
    ...SETTINGS[initialization],
  };
  lab.write(name, JSON.stringify({ ...base, adapter }));
  return lab.path(name);
}

/** Kills the program at a line of the journal or at a rename, if it gets there. */
function train(kill: object | undefined, ...args: string[]) {
  const preload = kill ? ['--require', resolve('test/cli/kill-at.cjs')] : [];
  return spawnSync(process.execPath, [...preload, CLI, 'train', ...args, '--threads', '1'], {
    encoding: 'utf8',
    timeout: 900_000,
    env: { ...process.env, ...(kill && { AURORA_TEST_KILL: JSON.stringify(kill) }) },
  });
}

const weights = (run: string) =>
  ['best', 'last'].map((which) => readFileSync(join(run, 'adapter', which, 'adapter_model.safetensors')));

function finished(file: string, name: string): string {
  const out = lab.fresh(name);
  const r = train(undefined, file, '--out', out);
  expect([r.status, r.stderr]).toEqual([0, expect.anything()]);
  return lab.runs(out)[0]!;
}

describe.each(STARTS)('a run with initialization "%s"', (start) => {
  const file = experiment(start);
  const whole = finished(file, `whole-${start}`);

  it.each([
    ['before the ranks are known or the first step', { line: '"kind":"(ranks|started)"' }],
    ['after it was announced', { line: '"kind":"started"', when: 'after' }],
    ['at a checkpoint', { pattern: 'checkpoints/step-000004$', when: 'after' }],
    ['at its best adapter', { pattern: 'best/adapter_model\\.safetensors$' }],
  ])('ends in the same bits if it is killed %s and resumed', (_, moment) => {
    const out = lab.fresh(`killed-${start}`);
    expect(train(moment, file, '--out', out).signal).toBe('SIGKILL');
    const [run] = lab.runs(out);
    const resumed = train(undefined, '--resume', run!);
    expect([resumed.status, resumed.stderr]).toEqual([0, expect.anything()]);
    expect(weights(run!)).toEqual(weights(whole));
    expect(ranksIn(readRun(run!).events)).toEqual(ranksIn(readRun(whole).events));
  });

  it.skipIf(start === 'eva')('has as many trained parameters as with random values', () => {
    const trainable = (run: string) => readRun(run).events.find((e) => e.kind === 'started')!.trainable;
    const others = Object.keys(SETTINGS[start]);
    const base = JSON.parse(readFileSync(file, 'utf8')) as { adapter: Record<string, unknown> };
    const kept = Object.entries(base.adapter).filter(([key]) => !others.includes(key));
    const adapter = { ...Object.fromEntries(kept), initialization: 'kaiming-uniform' };
    lab.write('random.aurora.json', JSON.stringify({ ...base, adapter }));
    expect(trainable(finished(lab.path('random.aurora.json'), 'random'))).toBe(trainable(whole));
  });

  it.each(
    start === 'pissa' || start === 'eva'
      ? ['adapter', 'peft-lora', 'onnx-merged', 'onnx-dynamic', 'onnx-adapter-inputs']
      : ['peft-lora'],
  )('is exported as %s, which measures the same', (form) => {
    const out = lab.fresh(`${start}-${form}`);
    const r = lab.run('export', whole, '--as', form, '--out', out);
    expect([r.code, r.err]).toEqual([0, expect.anything()]);
    if (form !== 'adapter' && form !== 'peft-lora') return;
    const config = JSON.parse(readFileSync(join(out, 'adapter_config.json'), 'utf8')) as object;
    expect(config).toMatchObject({ peft_type: 'LORA', init_lora_weights: true, r: start === 'eva' ? 2 : 4 });
    // A folder of PEFT's is read onto the original weights.
    const imported = lab.run('import', out, '--experiment', lab.experiment, '--out', lab.fresh('imported'));
    expect([imported.code, imported.err]).toEqual([0, expect.anything()]);
  });

  it('can be forked at a step', () => {
    const r = lab.run('train', '--fork', whole, '--at', '8');
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('Resuming at step 8')]);
    const forks = lab.runs(join(whole, '..')).filter((run) => run !== whole);
    expect(weights(forks.at(-1)!)).toEqual(weights(whole));
  });
});

it('gives EVA’s ranks to the layers, and says so', () => {
  const out = lab.fresh('ranks');
  const r = train(undefined, experiment('eva'), '--out', out);
  expect(r.stderr).toMatch(/Ranks from the data: .*query \d/);
  const ranks = ranksIn(readRun(lab.runs(out)[0]!).events)!;
  const given = Object.values(ranks);
  expect(given.reduce((sum, rank) => sum + rank, 0)).toBe(2 * given.length);
  expect(new Set(given).size).toBeGreaterThan(1);
});

it('refuses settings of another initialization', () => {
  const r = lab.run(
    'train',
    experiment('pissa'),
    ...['--set', 'adapter.evaRho=3', '--out', lab.fresh('refused')],
  );
  expect(r.code).not.toBe(0);
  expect(r.err).toContain('adapter.evaRho is for adapter.initialization "eva", which is "pissa"');
});
