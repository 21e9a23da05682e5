import * as vscode from 'vscode';
import { runAnyway } from './run-anyway';
import { requireUsable } from '../../ask/checked-experiment';
import { savedExperiment } from '../../hub/download-named';
import { untrusted } from '../../../executors/missing';
import { startUnlessBusy } from '../../queue/ask-busy';
import { startRun } from '../../queue/start-run';
import type { Services } from '../../services';

/**
 * Saves the file, checks it, starts a run of it and opens its dashboard. If something is in progress, the user may queue
 * it instead.
 *
 * @returns the new run folder; undefined if it was not started
 */
export async function trainExperiment(services: Services, file: string): Promise<string | undefined> {
  if (!vscode.workspace.isTrusted) throw untrusted();
  const checked = await savedExperiment(services, file);
  if (!checked) return undefined;
  const { experiment: spec, doc } = await requireUsable(checked);
  if (!(await runAnyway(services, checked))) return undefined;
  const wanted = { kind: 'run' as const, file, text: doc.text, spec };
  const run = await startUnlessBusy(services, wanted, () => startRun(services, wanted));
  if (run !== undefined) services.panels.openRun([run]);
  return run;
}
