import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, suiteSetup, test } from 'mocha';
import * as vscode from 'vscode';
import type { Api } from '../../../src/extension/main';
import { readRun } from '../../read-run';

interface RunAnswer {
  run: string;
  state: string;
  best: { step: number; accuracy: number };
}

/** As the editor's chat calls them. In a test window, VS Code confirms its own dialogs. */
suite('language model tools', () => {
  const folder = () => vscode.workspace.workspaceFolders![0].uri.fsPath;
  let run: RunAnswer;

  suiteSetup(async () => {
    const extension = vscode.extensions.getExtension<Api>('aurora-lab.aurora-lab')!;
    await extension.activate();
  });

  const call = async (name: string, input: object, token?: vscode.CancellationToken): Promise<string> => {
    const { content } = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined }, token);
    return content.map((part) => (part as vscode.LanguageModelTextPart).value).join('');
  };
  const facts = async <T>(name: string, input: object = {}) => JSON.parse(await call(name, input)) as T;

  test('all are offered, each with a description and a schema', () => {
    const tools = vscode.lm.tools.filter((tool) => tool.name.startsWith('aurora_'));
    assert.equal(tools.length, 12);
    for (const { description, inputSchema } of tools) assert.ok(description.length > 100 && inputSchema);
  });

  test('inspect a model', async () => {
    const model = await facts<{
      parameters: number;
      trainingStep: { batch: number };
      targetModules: object[];
    }>('aurora_inspect_model', { model: 'model.onnx', batchSize: 2, maxLength: 16 });
    assert.equal(model.parameters, 21_121);
    assert.equal(model.trainingStep.batch, 2);
    assert.deepEqual(model.targetModules[0], { name: 'query', layers: 2, outByIn: ['32 × 32'] });
    await assert.rejects(call('aurora_inspect_model', { model: '../m.onnx' }), /outside the workspace/);
  });

  test('validate an experiment', async () => {
    const experiment = 'tiny.aurora.json';
    const { valid, mistakes } = await facts<{ valid: boolean; mistakes: object[] }>('aurora_validate_experiment', { experiment }); // prettier-ignore
    assert.deepEqual({ valid, mistakes }, { valid: true, mistakes: [] });
  });

  test('run a preflight', async () =>
    assert.match(
      await call('aurora_preflight', { experiment: 'tiny.aurora.json' }),
      /^# Preflight of tiny[^]*4 of 12 linear layers get an adapter/,
    ));

  test('start a run with a changed setting, and follow it to its end', async () => {
    const experiment = 'tiny.aurora.json';
    const mistake = { experiment, settings: { 'training.epochs': -1 } };
    await assert.rejects(call('aurora_run_experiment', mistake), /epochs/);
    const { run: id } = await facts<RunAnswer>('aurora_run_experiment', {
      experiment,
      settings: { 'training.epochs': 2 },
    });
    run = await facts<RunAnswer>('aurora_follow_run', { run: id, waitSeconds: 600 });
    assert.equal(run.state, 'finished');
    const { result } = readRun(join(folder(), '.aurora/runs/tiny', id));
    const { best } = result as unknown as RunAnswer;
    assert.equal(run.best.step, best.step);
    assert.equal(run.best.accuracy, Number(best.accuracy.toPrecision(6)));
  });

  test('explain the newest run, and compare all', async () => {
    const told = await facts<RunAnswer & { settings: object }>('aurora_explain_run');
    assert.equal(told.run, run.run);
    assert.equal((told.settings as Record<string, unknown>)['training.epochs'], 2);
    const { runs } = await facts<{ runs: RunAnswer[] }>('aurora_compare_runs', {
      experiment: 'tiny.aurora.json',
    });
    assert.ok(runs.some((r) => r.run === run.run && r.best.accuracy === run.best.accuracy));
    await assert.rejects(call('aurora_explain_run', { run: 'none' }), new RegExp(`none[^]*${run.run}`));
  });

  test('show the errors of the run, export it and fork it', async () => {
    const { run: id } = run;
    assert.match(await call('aurora_show_errors', { run: id }), /of 24 validation examples are right/);
    const { files } = await facts<{ files: string[] }>('aurora_export_run', { run: id, form: 'adapter' });
    assert.ok(files.includes('adapter_config.json'));
    // A fork begins where the run ended.
    const settings = { 'training.learningRate': 0.005, 'training.epochs': 3 };
    const fork = await facts<RunAnswer>('aurora_fork_run', { run: id, settings });
    const ended = await facts<RunAnswer>('aurora_follow_run', { run: fork.run, waitSeconds: 600 });
    assert.equal(ended.state, 'finished');
  });

  test('a canceled call ends, and the run is stopped by another', async () => {
    const source = new vscode.CancellationTokenSource();
    const settings = { 'training.epochs': 2000, 'training.evaluateEvery': 1000 };
    const { run: id } = await facts<RunAnswer>('aurora_run_experiment', {
      experiment: 'tiny.aurora.json',
      settings,
    });
    const following = call('aurora_follow_run', { run: id, waitSeconds: 600 }, source.token);
    setTimeout(() => source.cancel(), 500);
    await assert.rejects(following);
    const stopped = await facts<RunAnswer>('aurora_stop_run', { run: id });
    assert.equal(stopped.state, 'stopped');
  });
});
