import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, suiteSetup, test } from 'mocha';
import * as vscode from 'vscode';
import type { Api } from '../../../src/extension/main';
import { readRun } from '../../read-run';
import { readStatus } from '../../../src/runs/status';
import { until } from '../../until';

/** More steps than a test waits for. */
const LONG = ['training.epochs=2000', 'training.evaluateEvery=1000', 'training.checkpointEvery=20'];

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

suite('training from the host', () => {
  let api: Api;
  const experiment = () => join(vscode.workspace.workspaceFolders![0].uri.fsPath, 'tiny.aurora.json');

  suiteSetup(async () => {
    const extension = vscode.extensions.getExtension<Api>('aurora-lab.aurora-lab')!;
    api = await extension.activate();
  });

  const state = async (run: string) => (await api.store.refreshRun(run)).state;
  const ended = (run: string) => until(async () => (await state(run)) === 'finished');
  const stepOf = (run: string) => readStatus(run)?.step ?? 0;
  const reaches = (run: string, step: number) => until(() => stepOf(run) >= step);

  test("a run finishes with the package's Node and runtime", async () => {
    const run = await api.trainer.start(experiment());
    await ended(run);
    const { result } = readRun(run);
    assert.ok(result, 'result.json is there');
    const { environment } = result as unknown as { environment: { node: string } };
    assert.equal(environment.node.replace(/^v/, ''), process.env.AURORA_PACKAGED_NODE);
    assert.ok(existsSync(join(run, 'adapter/best/adapter_model.safetensors')));
  });

  test('stopping a run leaves no process and reports what was saved', async () => {
    const run = await api.trainer.start(experiment(), LONG);
    await reaches(run, 60);
    const { pid } = readStatus(run)!;
    assert.ok(isAlive(pid));
    const outcome = await api.trainer.stop(run);
    assert.equal(outcome.state, 'stopped');
    assert.equal(isAlive(pid), false);
    assert.ok(outcome.savedStep !== undefined && outcome.savedStep >= 60);
    assert.match(outcome.message, new RegExp(`${outcome.savedStep}`));
    assert.equal(await state(run), 'stopped');
  });

  test('a fork without changes repeats the curve bit for bit', async () => {
    const run = await api.trainer.start(experiment(), ['training.checkpointEvery=10']);
    await ended(run);
    const kept = readdirSync(join(run, 'checkpoints')).map((name) => Number(name.slice('step-'.length)));
    const step = Math.min(...kept);
    assert.ok(step > 0 && step < 40, `checkpoints: ${kept.join(', ')}`);
    const fork = await api.trainer.fork(run, step, []);
    await ended(fork);
    const loss = (folder: string) => readRun(folder).scalars.column('loss')!;
    const steps = (folder: string) => readRun(folder).scalars.column('step')!;
    const after = (folder: string) => [...loss(folder)].filter((_, i) => steps(folder)[i] > step);
    assert.ok(after(run).length > 0);
    assert.deepEqual(after(fork), after(run));
  });

  test('a run with a killed process is not shown as running', async () => {
    const run = await api.trainer.start(experiment(), LONG);
    await reaches(run, 30);
    process.kill(readStatus(run)!.pid, 'SIGKILL');
    await until(async () => (await state(run)) === 'lost');
    await api.trainer.resume(run);
    await until(async () => (await state(run)) === 'running');
    assert.equal((await api.trainer.stop(run)).state, 'stopped');
    const journal = readFileSync(join(run, 'events.jsonl'), 'utf8');
    assert.match(journal, /"kind":"resumed"/);
  });
});
