import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { readScalars } from '../../runs/curve/scalars';
import type { Contributes } from '../manifest/declared';
import { isActive } from '../runs/shown-state';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { findRun } from './find-runs';
import { optionalCount, optionalText } from './input';
import { requireWanted, type Tool, workspaceFolders } from './tool';
import { facts } from './tool-answer';
import { briefly, curve } from './tool-facts';

export const contributes: Contributes = {
  tools: {
    aurora_follow_run: {
      reference: 'auroraFollow',
      name: 'Follow Run',
      description: 'Wait for a run, and report its progress',
      forModel:
        'Waits for an AuroRA run to end, for at most waitSeconds, and returns its state, step, best and latest evaluation, and its loss curve at a few steps. Call it again while the state is starting or running. With waitSeconds 0 it returns where the run stands now.',
      icon: 'pulse',
      tag: 'training',
      input: {
        run: { type: 'string', description: 'Id, folder or display name of the run (default: the newest)' },
        waitSeconds: {
          type: 'integer',
          minimum: 0,
          maximum: 600,
          description: 'Longest wait in seconds (default: 60)',
        },
      },
    },
  },
};

const USUAL_SECONDS = 60;
const MOST_SECONDS = 600;
const POINTS = 8;

export const followTool: Tool = {
  prepare: (_, input) =>
    Promise.resolve({
      invocationMessage: t('Following {0}', optionalText(input, 'run') ?? t('the newest run')),
    }),
  async answer(services, input, token) {
    const { store } = services;
    const seconds = Math.min(optionalCount(input, 'waitSeconds', 0) ?? USUAL_SECONDS, MOST_SECONDS);
    const { folder } = findRun(await store.runs(), workspaceFolders(), optionalText(input, 'run'));
    const entry = await whileActive(services, folder, seconds, token);
    const shown = curve(readScalars(folder), POINTS);
    return facts({
      ...briefly(entry),
      curve: shown,
      next: isActive(entry.state)
        ? 'Still in progress: call aurora_follow_run again.'
        : 'It has ended: call aurora_explain_run for everything that its folder holds.',
    });
  },
};

/** Waits until the run has ended, for at most `seconds`. */
async function whileActive(
  { store }: Services,
  folder: string,
  seconds: number,
  token: vscode.CancellationToken,
): Promise<RunEntry> {
  const disposables: vscode.Disposable[] = [];
  try {
    return await new Promise<RunEntry>((resolve, reject) => {
      const end = () => void store.refreshRun(folder).then(resolve, reject);
      const look = async () => {
        if (!isActive((await store.refreshRun(folder)).state)) end();
      };
      const timer = setTimeout(end, 1000 * seconds);
      disposables.push(
        { dispose: () => clearTimeout(timer) },
        store.onDidChange(() => {
          if (!isActive(store.run(folder)?.state ?? 'damaged')) end();
        }),
        token.onCancellationRequested(() => reject(new vscode.CancellationError())),
      );
      requireWanted(token);
      look().catch(reject);
    });
  } finally {
    vscode.Disposable.from(...disposables).dispose();
  }
}
