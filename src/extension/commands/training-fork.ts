import * as vscode from 'vscode';
import { formatMetric, metricInfo } from '../../experiment/metrics';
import { runPaths } from '../../runs/layout';
import { AuroraError } from '../../base/errors';
import { runLabel } from '../runs/label';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { checkpointFor, forkChoices, valueProblem, type ForkChoice } from './fork-choices';
import { untrusted } from '../launcher/missing';
import { checkpointSteps } from '../launcher/run-status';
import { metricOf } from '../words/run-row';
import { isTreeNode } from '../runs/nodes';
import { askingAboutInputs } from '../ask/changed-inputs';
import { runFrom } from '../ask/pick';

/**
 * Starts a new run from another run's checkpoint with one setting changed, and shows both in one dashboard. Asks for
 * missing arguments: `step` (the last checkpoint at or before it is used) and `overrides` ("key=value"; none for a run
 * that retraces the other).
 * @returns the new run folder
 */
export async function forkRun(
  services: Services,
  argument: unknown,
  step?: unknown,
  overrides?: unknown,
): Promise<string | undefined> {
  if (!vscode.workspace.isTrusted) throw untrusted();
  const run = await runFrom(services, argument, {
    title: vscode.l10n.t('Select a run to fork'),
    filter: (r) => r.run?.events.some((e) => e.kind === 'checkpoint') === true,
  });
  if (!run?.run) return undefined;
  const asked = isTreeNode(argument) && argument.kind === 'checkpoint' ? argument.step : step;
  const at = await checkpoint(run, typeof asked === 'number' ? asked : undefined);
  if (at === undefined) return undefined;
  const changes = isTexts(overrides) ? overrides : await change(run.run.spec, at, asked);
  if (changes === undefined) return undefined;
  const { trainer, store, panels } = services;
  const title = vscode.l10n.t('Forking {0} at step {1}', run.run.spec.name, at);
  const fork = await askingAboutInputs((accept) =>
    vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, () =>
      trainer.fork(run.folder, at, changes, accept),
    ),
  );
  if (fork === undefined) return undefined;
  await store.refreshRun(fork);
  panels.openRun([run.folder, fork]);
  return fork;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((v) => typeof v === 'string');

async function checkpoint(entry: RunEntry, asked: number | undefined): Promise<number | undefined> {
  const steps = await checkpointSteps(entry.folder);
  // Its beginning needs no checkpoint.
  if (asked === 0) return 0;
  if (steps.length === 0)
    throw new AuroraError(
      'run',
      vscode.l10n.t('The run {0} has no checkpoint to fork from.', runLabel(entry)),
      vscode.l10n.t(
        'It ended before the first one was written to {0}. Choose another run.',
        runPaths(entry.folder).checkpoints,
      ),
    );
  const found = asked === undefined ? undefined : checkpointFor(steps, asked);
  if (found !== undefined) return found;
  const run = entry.run!;
  const metric = metricOf(run);
  const items = steps.toReversed().map((step) => {
    const evaluation = run.events.findLast((e) => e.kind === 'evaluation' && e.step === step);
    const value = evaluation?.kind === 'evaluation' ? evaluation.metrics[metric] : undefined;
    return {
      label: vscode.l10n.t('Step {0}', step),
      description: value === undefined ? '' : `${metricInfo(metric).label} ${formatMetric(metric, value)}`,
      step,
    };
  });
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Fork {0}: select the checkpoint to start from', runLabel(entry)),
    placeHolder:
      asked === undefined ? undefined : vscode.l10n.t('There is no checkpoint at or before step {0}.', asked),
    ignoreFocusOut: true,
  });
  return picked?.step;
}

type Spec = NonNullable<RunEntry['run']>['spec'];

/** The changed settings; undefined if the user canceled. */
async function change(spec: Spec, at: number, asked: unknown): Promise<string[] | undefined> {
  const nothing = {
    label: vscode.l10n.t('$(debug-rerun) Keep All Settings'),
    detail: vscode.l10n.t('Repeats the run bit for bit.'),
    choice: undefined,
  };
  const items = forkChoices(spec).map((choice) => ({
    label: choice.key,
    description: choice.value ?? vscode.l10n.t('not set'),
    detail: choice.description,
    choice,
  }));
  const separator = { label: '', kind: vscode.QuickPickItemKind.Separator, choice: undefined };
  const picked = await vscode.window.showQuickPick([...items, separator, nothing], {
    title:
      typeof asked === 'number' && asked !== at
        ? vscode.l10n.t(
            'Fork at step {0}, the last checkpoint before step {1}: select a setting to change',
            at,
            asked,
          )
        : vscode.l10n.t('Fork at step {0}: select a setting to change', at),
    matchOnDetail: true,
    ignoreFocusOut: true,
  });
  if (!picked) return undefined;
  if (!picked.choice) return [];
  const value = await newValue(spec, picked.choice);
  return value === undefined ? undefined : [`${picked.choice.key}=${value}`];
}

async function newValue(spec: Spec, { key, value, options }: ForkChoice): Promise<string | undefined> {
  const title = vscode.l10n.t('Fork: new value of {0}', key);
  if (options) {
    const items = options.map((label) => ({
      label,
      description: label === value ? vscode.l10n.t('current') : '',
    }));
    return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true }))?.label;
  }
  const typed = await vscode.window.showInputBox({
    title,
    value: value ?? '',
    prompt:
      value === undefined
        ? vscode.l10n.t('Not set in this run.')
        : vscode.l10n.t('Value in this run: {0}.', value),
    validateInput: (text) => valueProblem(spec, key, text),
    ignoreFocusOut: true,
  });
  return typed?.trim();
}
