import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { encoderModel } from '../../src/checks/doctor/encoder';
import { loadModel } from '../../src/graph/file/load';
import { saveModel } from '../../src/graph/file/save';
import { readRun } from '../read-run';
import { CLI, Lab } from './lab';

// Deep enough for steps of more than 5,000 nodes, and evaluations of more than 2,000.
const SIZE = { layers: 12, hidden: 16, heads: 2, feedForward: 32, vocabulary: 200, positions: 64 };
const lab = new Lab({
  adapter: { targetModules: 'all-linear' },
  training: { gradientCheckpointing: true, maxSteps: 3, evaluateEvery: 3, checkpointEvery: 1 },
});
saveModel(encoderModel(SIZE), lab.path('model.onnx'));
afterAll(() => lab.remove());

it('a run whose graphs are in blocks and that was killed resumes to the same bits', () => {
  const args = (out: string) => ['train', lab.experiment, '--device', 'cpu', '--out', out];
  const out = { whole: lab.fresh('whole'), killed: lab.fresh('killed') };
  const whole = lab.run(...args(out.whole));
  expect([whole.code, whole.err]).toEqual([0, expect.stringContaining('validation loss')]);
  const expected = lab.runs(out.whole)[0]!;

  const killed = spawnSync(
    process.execPath,
    ['--require', resolve('test/cli/kill-at.cjs'), CLI, ...args(out.killed)],
    {
      env: {
        ...process.env,
        AURORA_TEST_KILL: JSON.stringify({ pattern: 'checkpoints/step-000001$', when: 'after' }),
      },
    },
  );
  expect(killed.signal).toBe('SIGKILL');
  const run = lab.runs(out.killed)[0]!;
  // It had no time to remove its graphs.
  const graphs = readdirSync(run, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /(?:step|evaluate)\.onnx$/.test(name),
  );
  expect(graphs).toHaveLength(2);
  for (const name of graphs)
    expect(new Set(loadModel(join(run, name)).graph.nodes.map((n) => n.opType))).toEqual(new Set(['If']));

  const resumed = lab.run('train', '--resume', run);
  expect([resumed.code, resumed.err]).toEqual([0, expect.stringContaining('Resuming at step 1')]);
  const losses = (of: string) => [...readRun(of).scalars.column('loss')!];
  expect(losses(run)).toEqual(losses(expected));
  const adapter = (of: string) => readFileSync(join(of, 'adapter/last/adapter_model.safetensors'));
  expect(adapter(run).equals(adapter(expected))).toBe(true);
});
