import * as vscode from 'vscode';
import { AuroraError } from '../../../base/errors';
import { t } from '../../../base/l10n';
import { untrusted } from '../../../executors/missing-piece';
import { formatMetric, metricInfo } from '../../../experiment/metrics';
import { runPaths } from '../../../runs/layout';
import { runLabel } from '../../../runs/run-labels';
import { runFrom } from '../../ask/pick';
import { offerCheckpoints } from '../../cluster/cluster-trial';
import { checkpointSteps } from '../../../executors/local/run-status';
import { askText } from '../../messages/input';
import { startUnlessBusy } from '../../queue/ask-busy';
import { startFork } from '../../queue/start-queued';
import { metricOf } from '../../runs/label';
import { isTreeNode } from '../../runs/nodes';
import { keepsCheckpoints } from '../../runs/shown-state';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import { checkpointFor, type ForkChoice, forkChoices, valueProblem } from './fork-choices';

/**
 * Starts a new run from another run's checkpoint with changed settings, and shows both in one dashboard. Asks for
 * missing arguments: `step` (the last checkpoint at or before it is used) and `overrides` ("key=value"; none for a run
 * that retraces the other).
 * @returns the new run folder; undefined if it was not started
 */
export async function forkRun(
  services: Services,
  argument: unknown,
  step?: unknown,
  overrides?: unknown,
): Promise<string | undefined> {
  if (!vscode.workspace.isTrusted) throw untrusted();
  const run = await runFrom(services, argument, {
    title: t('Select a run to fork'),
    filter: (r) => r.run?.events.some((e) => e.kind === 'checkpoint') === true,
  });
  if (!run?.run) return undefined;
  const asked = isTreeNode(argument) && argument.kind === 'checkpoint' ? argument.step : step;
  const at = await checkpoint(services, run, typeof asked === 'number' ? asked : undefined);
  if (at === undefined) return undefined;
  const settings = isTexts(overrides) ? overrides : await changes(run.run.spec, at, asked);
  if (settings === undefined) return undefined;
  const { spec } = run.run;
  const wanted = {
    ...{ kind: 'fork' as const, run: run.folder, step: at, overrides: [...settings] },
    ...{ file: run.experiment, spec },
  };
  const fork = await startUnlessBusy(services, wanted, () => startFork(services, wanted, spec.name));
  if (fork !== undefined) services.panels.openRun([run.folder, fork]);
  return fork;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((v) => typeof v === 'string');

async function checkpoint(
  services: Services,
  entry: RunEntry,
  asked: number | undefined,
): Promise<number | undefined> {
  let steps = await checkpointSteps(entry.folder);
  // Its beginning needs no checkpoint.
  if (asked === 0) return 0;
  if (steps.length === 0 && keepsCheckpoints(entry)) {
    if (!(await offerCheckpoints(services, entry))) return undefined;
    steps = await checkpointSteps(entry.folder);
  }
  if (steps.length === 0)
    throw new AuroraError(
      'run',
      t('The run {0} has no checkpoint to fork from.', runLabel(entry)),
      t(
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
      label: t('Step {0}', step),
      description: value === undefined ? '' : `${metricInfo(metric).label} ${formatMetric(metric, value)}`,
      step,
    };
  });
  const picked = await vscode.window.showQuickPick(items, {
    title: t('Fork {0}: select the checkpoint to start from', runLabel(entry)),
    placeHolder: asked === undefined ? undefined : t('There is no checkpoint at or before step {0}.', asked),
    ignoreFocusOut: true,
  });
  return picked?.step;
}

type Spec = NonNullable<RunEntry['run']>['spec'];

/** The changed settings, asked for one after the other until the fork is started; undefined if the user canceled. */
async function changes(spec: Spec, at: number, asked: unknown): Promise<string[] | undefined> {
  const changed = new Map<string, string>();
  const overrides = () => [...changed].map(([key, value]) => `${key}=${value}`);
  for (;;) {
    const picked = await vscode.window.showQuickPick(forkItems(spec, changed), {
      title: forkTitle(at, asked, changed.size),
      matchOnDetail: true,
      ignoreFocusOut: true,
    });
    if (!picked) return undefined;
    if (!picked.choice) return overrides();
    const { key, value: before } = picked.choice;
    const others = overrides().filter((o) => !o.startsWith(`${key}=`));
    const value = await newValue(spec, { ...picked.choice, value: changed.get(key) ?? before }, others);
    // Escape goes back to the list.
    if (value === undefined && changed.size === 0) return undefined;
    if (value === before) changed.delete(key);
    else if (value !== undefined) changed.set(key, value);
  }
}

interface ForkItem extends vscode.QuickPickItem {
  /** Undefined to start the fork. */
  choice: ForkChoice | undefined;
}

function forkItems(spec: Spec, changed: ReadonlyMap<string, string>): ForkItem[] {
  const separator = { label: '', kind: vscode.QuickPickItemKind.Separator, choice: undefined };
  const items = forkChoices(spec).map((choice): ForkItem => {
    const value = choice.value ?? t('not set');
    const after = changed.get(choice.key);
    return {
      label: choice.key,
      description: after === undefined ? value : `${value} → ${after}`,
      detail: choice.description,
      choice,
    };
  });
  if (changed.size === 0)
    return [
      ...items,
      separator,
      {
        label: t('$(debug-rerun) Keep All Settings'),
        detail: t('Repeats the run bit for bit.'),
        choice: undefined,
      },
    ];
  return [
    {
      label:
        changed.size === 1
          ? t('$(repo-forked) Fork with 1 Change')
          : t('$(repo-forked) Fork with {0} Changes', changed.size),
      detail: [...changed].map(([key, value]) => `${key}: ${value}`).join(' · '),
      choice: undefined,
    },
    separator,
    ...items,
  ];
}

function forkTitle(at: number, asked: unknown, changed: number): string {
  if (changed > 0) return t('Fork at step {0}: start, or select another setting to change', at);
  return typeof asked === 'number' && asked !== at
    ? t('Fork at step {0}, the last checkpoint before step {1}: select a setting to change', at, asked)
    : t('Fork at step {0}: select a setting to change', at);
}

async function newValue(
  spec: Spec,
  { key, value, options }: ForkChoice,
  others: readonly string[],
): Promise<string | undefined> {
  const title = t('Fork: new value of {0}', key);
  if (options) {
    const items = options.map((label) => ({
      label,
      description: label === value ? t('current') : '',
    }));
    return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true }))?.label;
  }
  const typed = await askText({
    title,
    value: value ?? '',
    prompt: value === undefined ? t('Not set in this run.') : t('Value in this run: {0}.', value),
    validateInput: (text) => valueProblem(spec, key, text, others),
    ignoreFocusOut: true,
  });
  return typed?.trim();
}
