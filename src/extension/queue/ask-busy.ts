import * as vscode from 'vscode';
import type { Services } from '../services';
import { inProgress, isIdle, type InProgress } from './in-progress';
import { busyQuestion } from './busy-words';

export type BusyAnswer = { do: 'start' } | { do: 'queue' } | { do: 'stop'; these: InProgress };

/** What to do with a run that the user wants to start. Asks only if something is in progress; undefined if canceled. */
export async function askBusy({ store }: Pick<Services, 'store'>): Promise<BusyAnswer | undefined> {
  const now = await inProgress(store);
  if (isIdle(now)) return { do: 'start' };
  const { message, detail, stop } = busyQuestion(now, vscode.l10n.t);
  const [queue, parallel] = [vscode.l10n.t('Queue'), vscode.l10n.t('Run in Parallel')];
  const buttons = [queue, parallel, ...(stop === undefined ? [] : [stop])];
  const answer = await vscode.window.showInformationMessage(message, { modal: true, detail }, ...buttons);
  if (answer === queue) return { do: 'queue' };
  if (answer === parallel) return { do: 'start' };
  return answer !== undefined && answer === stop ? { do: 'stop', these: now } : undefined;
}
