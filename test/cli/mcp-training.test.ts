import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processExists } from '../../src/files/processes';
import { readStatus } from '../../src/runs/status';
import { readRun } from '../read-run';
import { until } from '../until';
import { Lab } from './lab';
import { type Agent, connect, NO, YES } from './mcp-client';

const PLACE = ['--device', 'cpu', '--threads', '1'];
/** A run that takes longer than any test. */
const LONG = { 'training.epochs': 2000, 'training.evaluateEvery': 1000 };

describe('aurora mcp, asked to train', () => {
  const lab = new Lab();
  const runs = lab.path('.aurora/runs/tiny');
  const experiment = 'tiny.aurora.json';
  let agent: Agent;
  let first: string;

  beforeAll(async () => (agent = await connect([lab.folder, ...PLACE])));
  afterAll(async () => {
    await agent?.close();
    lab.remove();
  });

  it('starts nothing that the person declines', async () => {
    agent.answer = NO;
    for (const name of ['aurora_run_experiment', 'aurora_preflight']) {
      const { isError, text } = await agent.call(name, { experiment });
      expect([isError, text]).toEqual([
        true,
        expect.stringContaining('The user declined, so nothing was started.'),
      ]);
    }
    expect(agent.asked).toHaveLength(2);
    expect(existsSync(runs)).toBe(false);
  });

  it('measures a preflight that the person agrees to, and reports its steps', async () => {
    agent.answer = YES;
    const messages: string[] = [];
    const onprogress = ({ message = '' }) => void messages.push(message);
    const { text } = await agent.call('aurora_preflight', { experiment }, { onprogress });
    expect(agent.asked.at(-1)).toMatch(
      /^Run the Preflight\?[^]*Model: model\.onnx\. Training data: train\.jsonl\./,
    );
    expect(text).toMatch(/^# Preflight of tiny[^]*4 of 12 linear layers get an adapter/);
    expect(messages).toContain('Running the preflight of tiny.aurora.json');
    expect(messages.some((message) => /^Step 3 of 3/.test(message))).toBe(true);
  });

  it('asks with the plan before a run: model, data, steps, time and memory', async () => {
    const { data } = await agent.call('aurora_run_experiment', { experiment });
    const question = agent.asked.at(-1)!;
    expect(question).toMatch(/^Train the Experiment\?\n\ntiny\.aurora\.json is trained on this machine/);
    expect(question).toContain('AuroRA r2, 4 epochs, batch 8, learning rate 1e-2.');
    expect(question).toContain('Model: model.onnx. Training data: train.jsonl.');
    expect(question).toMatch(/About 48 steps, .+, .+ of memory, as a preflight measured\./);
    expect(data).toMatchObject({ experiment: 'tiny', folder: `.aurora/runs/tiny/${data.run as string}` });
    first = data.run as string;
  });

  it('follows it to its end, with its numbers', async () => {
    const messages: string[] = [];
    const onprogress = ({ message = '' }) => void messages.push(message);
    const { data } = await agent.call('aurora_follow_run', { run: first, waitSeconds: 600 }, { onprogress });
    expect(data).toMatchObject({ state: 'finished', step: 48, steps: 48 });
    const { best } = readRun(join(runs, first)).result as { best: { step: number; accuracy: number } };
    expect(data.best).toMatchObject({ step: best.step, accuracy: Number(best.accuracy.toPrecision(6)) });
    expect(messages[0]).toBe(`Following ${first}`);
  });

  it('explains and compares', async () => {
    const { data } = await agent.call('aurora_explain_run');
    expect(data).toMatchObject({ run: first, settings: { 'training.epochs': 4 } });
    const { data: compared } = await agent.call('aurora_compare_runs', { experiment });
    expect(compared.runs).toMatchObject([{ run: first, state: 'finished' }]);
  });

  it('shows the errors after a question, and without one when the predictions are kept', async () => {
    const before = agent.asked.length;
    const { text } = await agent.call('aurora_show_errors', { run: first, examples: 3 });
    expect(agent.asked.at(-1)).toMatch(/^Find the Errors\?/);
    expect(text).toMatch(/of 24 validation examples are right[^]*most informative example/);
    const again = await agent.call('aurora_show_errors', { run: first, examples: 3 });
    expect(again.text).toBe(text);
    expect(agent.asked).toHaveLength(before + 1);
    const wrong = await agent.call('aurora_show_errors', { run: first, at: '--again' });
    expect(wrong.text).toMatch(/"at" takes best, last or the step of a checkpoint/);
  });

  it('exports in a form with its options, and names an unknown form', async () => {
    const { data } = await agent.call('aurora_export_run', {
      form: 'peft-lora',
      merge: 'paper',
      maxDrop: 100,
    });
    expect(data).toMatchObject({
      form: 'peft-lora',
      merge: 'paper',
      files: expect.arrayContaining(['adapter_config.json']),
    });
    expect(existsSync(lab.path(join(data.folder as string, 'adapter_config.json')))).toBe(true);
    const { data: events } = await agent.call('aurora_export_run', { form: 'tensorboard' });
    expect(events).toMatchObject({ steps: 48 });
    const wrong = await agent.call('aurora_export_run', { form: 'gguff' });
    expect(wrong.text).toMatch(/"form" must be one of adapter, /);
  });

  it('forks from a checkpoint with a changed setting', async () => {
    const settings = { 'training.learningRate': 0.002 };
    const { data } = await agent.call('aurora_fork_run', { run: first, step: 20, settings });
    expect(agent.asked.at(-1)).toMatch(
      /is trained on from step 20[^]*About 28 steps[^]*Changed for this run: training\.learningRate=0\.002\./,
    );
    const ended = await agent.call('aurora_follow_run', { run: data.run, waitSeconds: 600 });
    expect(ended.data.state).toBe('finished');
    const early = await agent.call('aurora_fork_run', { run: first, step: 1 });
    expect(early.text).toMatch(/no checkpoint at or before step 1/);
    const explained = await agent.call('aurora_explain_run', { run: data.run });
    expect(explained.data).toMatchObject({ forkedFrom: { run: first, step: 20 } });
  });

  it('starts nothing if the experiment changes while the question is open', async () => {
    const before = readdirSync(runs).length;
    const text = lab.read(experiment);
    agent.answer = () => {
      lab.write(experiment, text.replace('"seed": 7', '"seed": 8'));
      return YES();
    };
    const { isError, text: answer } = await agent.call('aurora_run_experiment', { experiment });
    lab.write(experiment, text);
    agent.answer = YES;
    expect([isError, answer]).toEqual([
      true,
      expect.stringContaining('was changed while the question about it was open'),
    ]);
    expect(readdirSync(runs)).toHaveLength(before);
  });

  it('a canceled call ends, and the server answers the next one', async () => {
    const { data } = await agent.call('aurora_run_experiment', { experiment, settings: LONG });
    const controller = new AbortController();
    const following = agent.call(
      'aurora_follow_run',
      { run: data.run, waitSeconds: 600 },
      { signal: controller.signal },
    );
    controller.abort();
    await expect(following).rejects.toThrow();
    const now = await agent.call('aurora_follow_run', { run: data.run, waitSeconds: 0 });
    expect(now.data.state).toMatch(/starting|running/);
    expect(now.data.next).toMatch(/call aurora_follow_run again/);
  });

  it('stops a run, which has saved', async () => {
    const run = (await agent.call('aurora_explain_run')).data.run as string;
    agent.answer = NO;
    expect((await agent.call('aurora_stop_run', { run })).isError).toBe(true);
    expect(readStatus(join(runs, run))?.state).toBe('running');
    agent.answer = YES;
    const { data } = await agent.call('aurora_stop_run', { run });
    expect(data).toMatchObject({ run, state: 'stopped', outcome: expect.stringMatching(/^Stopped/) });
    const again = await agent.call('aurora_stop_run', { run });
    expect(again.text).toMatch(/is not training: it is stopped/);
  });

  it('ends when its client does, and the run continues until another client stops it', async () => {
    const { data } = await agent.call('aurora_run_experiment', { experiment, settings: LONG });
    const run = join(runs, data.run as string);
    const { pid } = readStatus(run)!;
    await agent.close();
    await until(() => !processExists(agent.pid));
    expect(processExists(pid)).toBe(true);
    const step = readStatus(run)!.step;
    await until(() => readStatus(run)!.step > step);
    agent = await connect([lab.folder, ...PLACE]);
    const stopped = await agent.call('aurora_stop_run', { run: data.run });
    expect(stopped.data).toMatchObject({ state: 'stopped' });
    expect(processExists(pid)).toBe(false);
  });
});

it('trains a sweep, follows it to its end, and stops one', async () => {
  const lab = new Lab({
    training: { epochs: 1 },
    sweep: { type: 'grid', parameters: { 'training.seed': [1, 2] }, parallel: 1 },
  } as object as Record<string, unknown>);
  const agent = await connect([lab.folder, ...PLACE]);
  const experiment = 'tiny.aurora.json';
  try {
    const started = await agent.call('aurora_run_sweep', { experiment });
    expect(agent.asked.at(-1)).toMatch(
      /is trained on this machine: 2 trials\.[^]*Trials differ in training\.seed\./,
    );
    expect(started.data).toMatchObject({ trials: 2 });
    const { data } = await agent.call('aurora_follow_run', { sweep: experiment, waitSeconds: 600 });
    expect(data).toMatchObject({ state: 'finished', trials: 2, trialsByState: { finished: 2 } });
    expect((data.best as object[]).length).toBe(2);
    const over = await agent.call('aurora_stop_run', { sweep: experiment });
    expect(over.text).toMatch(/is not running/);

    const spec = JSON.parse(lab.read(experiment)) as { training: Record<string, unknown> };
    Object.assign(spec.training, { epochs: 2000, evaluateEvery: 1000 });
    lab.write(experiment, JSON.stringify(spec, null, 2));
    await agent.call('aurora_run_sweep', { experiment });
    const stopped = await agent.call('aurora_stop_run', { sweep: experiment });
    expect(stopped.data).toMatchObject({ state: 'stopped' });
  } finally {
    await agent.close();
    lab.remove();
  }
});

it('keeps no export that loses more than allowed, and says how much', async () => {
  // σ(0) of a sigmoid is far from zero.
  const adapter = { method: 'aurora', activation: 'sigmoid', alpha: 8, targetModules: ['query', 'value'] };
  const lab = new Lab({ adapter, training: { epochs: 8, learningRate: 0.03, metric: 'loss' } });
  expect(lab.run('train', lab.experiment).code).toBe(0);
  const agent = await connect([lab.folder]);
  const lossy = { form: 'onnx-merged', merge: 'paper', at: 'last' };
  try {
    const { isError, text } = await agent.call('aurora_export_run', lossy);
    expect(agent.asked.at(-1)).toMatch(/^Export the Run\?/);
    expect(isError).toBe(true);
    expect(text).toMatch(/loss changes from .* above 1%\. .*Nothing was kept\.\n.*maxDrop/);
    const { data } = await agent.call('aurora_export_run', { ...lossy, maxDrop: 1_000_000 });
    expect(data).toMatchObject({ form: 'onnx-merged', merge: 'paper' });
  } finally {
    await agent.close();
    lab.remove();
  }
});
