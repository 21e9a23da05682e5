import { access } from 'node:fs/promises';
import * as vscode from 'vscode';
import { capital } from '../../base/capital';
import { AuroraError } from '../../base/errors';
import type { Sweep } from '../../runs/experiment/sweep';
import { evaluationSets } from '../../experiment/evaluation-sets';
import type { Experiment } from '../../experiment/experiment';
import { isPipelineIndex } from '../../files/model-path';
import { filesOfLater } from '../../files/pattern';
import { messageOf } from './message-of';
import { MissingError, type MissingPiece } from '../../executors/missing';
import { notify } from '../messages/notify';

/** The one place to get each thing that can be missing. */
const ACTIONS: Record<MissingPiece, { title: () => string; command: string; arguments?: unknown[] }> = {
  trust: { title: () => vscode.l10n.t('Manage Workspace Trust'), command: 'workbench.trust.manage' },
  node: openNodePath(),
  nodeSetting: openNodePath(),
  runtime: showExtension(),
  program: showExtension(),
};

function openNodePath() {
  return {
    title: () => vscode.l10n.t('Open Settings'),
    command: 'workbench.action.openSettings',
    arguments: ['aurora.nodePath'],
  };
}

function showExtension() {
  return {
    title: () => vscode.l10n.t('Show Extension'),
    command: 'workbench.extensions.search',
    arguments: ['@id:aurora-lab.aurora-lab'],
  };
}

/**
 * Runs an action that trains. A missing piece or a mistake in the experiment gets its own message with one next action,
 * and the result is undefined. Any other error is rethrown.
 */
export async function explaining<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (e) {
    if (e instanceof MissingError) showMissing(e);
    else if (e instanceof ExperimentProblem) await showProblem(e);
    else throw e;
    return undefined;
  }
}

function showMissing(e: MissingError): void {
  const action = ACTIONS[e.piece];
  offer(messageOf(e), action.title(), action.command, ...(action.arguments ?? []));
}

/** A message with its one next action. Not awaited by the failed command, which has ended by then. */
function offer(message: string, title: string, command: string, ...args: unknown[]): void {
  void notify.error(message, title).then((picked) => {
    if (picked === title) void vscode.commands.executeCommand(command, ...args);
  });
}

/** A problem in an experiment file, with its position. */
class ExperimentProblem extends Error {
  constructor(
    message: string,
    readonly file: string,
    /** Zero-based. */
    readonly line: number,
    readonly column: number,
    readonly more: number,
  ) {
    super(message);
  }
}

async function showProblem({ message, file, line, column, more }: ExperimentProblem): Promise<void> {
  const at = new vscode.Position(line, column);
  await vscode.window.showTextDocument(vscode.Uri.file(file), { selection: new vscode.Range(at, at) });
  const rest = more > 0 ? ` ${vscode.l10n.t('More problems: {0}.', more)}` : '';
  offer(
    `${messageOf({ message })}${rest}`,
    vscode.l10n.t('Show Problems'),
    'workbench.actions.view.problems',
  );
}

/**
 * The complete experiment, with all its files present. Otherwise throws an error that `explaining` shows at its
 * position.
 */
export async function checkedExperiment(file: string): Promise<Experiment> {
  // The schema validator is only loaded when needed.
  const { loadExperiment } = await import('../../runs/experiment/load');
  const spec = atItsPlace(file, () => loadExperiment(file));
  const files: [path: string[], file: string | undefined, message: (path: string) => string][] = [
    [['model', 'path'], spec.model.path, (p) => vscode.l10n.t('The model {0} does not exist.', p)],
    // A model reads texts or images; a pipeline has its tokenizers in folders.
    [
      ['model', 'tokenizer'],
      spec.model.preprocessor === undefined && !isPipelineIndex(spec.model.path)
        ? spec.model.tokenizer
        : undefined,
      (p) => vscode.l10n.t('The tokenizer {0} does not exist.', p),
    ],
    [
      ['model', 'preprocessor'],
      spec.model.preprocessor,
      (p) => vscode.l10n.t('The preprocessor {0} does not exist.', p),
    ],
    [['data', 'train'], spec.data.train, (p) => vscode.l10n.t('The training file {0} does not exist.', p)],
    [
      ['data', 'validation'],
      spec.data.validation,
      (p) => vscode.l10n.t('The validation file {0} does not exist.', p),
    ],
    [
      ['data', 'classImages'],
      spec.data.classImages,
      (p) => vscode.l10n.t('The folder {0} of class images does not exist.', p),
    ],
    ...evaluationSets(spec.data).map(
      ({ key, name, path }) =>
        [
          [...key],
          path,
          (p: string) =>
            name === undefined
              ? vscode.l10n.t('The test file {0} does not exist.', p)
              : vscode.l10n.t('The file {0} of the evaluation set {1} does not exist.', p, name),
        ] as [string[], string, (path: string) => string],
    ),
  ];
  for (const [path, target, message] of files) {
    if (target === undefined) continue;
    const problem = await problemOf(target, message);
    if (problem === undefined) continue;
    const { ExperimentSource } = await import('../../runs/experiment/source');
    const text = (await vscode.workspace.openTextDocument(vscode.Uri.file(file))).getText();
    const place = `${new ExperimentSource(file, text).locate({ path, message: '' })}: ${problem}`;
    throw located(place, file) ?? new AuroraError('experiment', problem);
  }
  return spec;
}

/** The same for its sweep, with every trial. */
export async function checkedSweep(file: string): Promise<Sweep> {
  await checkedExperiment(file);
  const { loadSweep } = await import('../../runs/experiment/load');
  return atItsPlace(file, () => loadSweep(file));
}

function atItsPlace<T>(file: string, load: () => T): T {
  try {
    return load();
  } catch (e) {
    if (!(e instanceof AuroraError) || e.kind !== 'experiment') throw e;
    throw located(e.message, file) ?? e;
  }
}

/** Why a file, or one of a pattern, cannot be read; undefined if it is there. */
async function problemOf(path: string, missing: (path: string) => string): Promise<string | undefined> {
  try {
    for (const file of await filesOfLater(path)) await access(file);
    return undefined;
  } catch (e) {
    return e instanceof AuroraError ? e.message : missing(path);
  }
}

/** Parses "FILE:LINE:COLUMN: MESSAGE", one problem per line. */
function located(text: string, file: string): ExperimentProblem | undefined {
  const lines = text.split('\n');
  const [first] = lines;
  if (!first.startsWith(`${file}:`)) return undefined;
  const match = /^(\d+):(\d+): ([^]*)$/.exec(first.slice(file.length + 1));
  if (!match) return undefined;
  const [, line, column, message] = match;
  // A key keeps its case.
  const words = /^\w+\.\w/.test(message) ? message : capital(message);
  return new ExperimentProblem(words, file, Number(line) - 1, Number(column) - 1, lines.length - 1);
}
