import { createHash } from 'node:crypto';
import * as vscode from 'vscode';

/** The last preflight of an experiment: the measured text, and the findings. */
export interface KeptPreflight {
  /** A checksum of the measured text. */
  sum: string;
  /** True if nothing prevents training. */
  fits: boolean;
  secondsPerStep?: number;
  markdown: string;
}

const KEY = 'preflights';
/** The most reports that are kept: nobody needs more. */
const MOST = 30;

const kept = new vscode.EventEmitter<string>();
/** Fires with the experiment's file. */
export const onDidKeepPreflight = kept.event;

type Kept = readonly (readonly [file: string, report: KeptPreflight])[];

export const preflightOf = (
  { workspaceState }: Pick<vscode.ExtensionContext, 'workspaceState'>,
  file: string,
): KeptPreflight | undefined => workspaceState.get<Kept>(KEY, []).find(([of]) => of === file)?.[1];

/** Keeps a report in the workspace, so that it can be shown after a reload. */
export async function keepPreflight(
  { workspaceState }: Pick<vscode.ExtensionContext, 'workspaceState'>,
  file: string,
  report: KeptPreflight,
): Promise<void> {
  const others = workspaceState.get<Kept>(KEY, []).filter(([of]) => of !== file);
  await workspaceState.update(KEY, [[file, report], ...others].slice(0, MOST));
  kept.fire(file);
}

export const sumOfText = (text: string): string => createHash('sha256').update(text).digest('hex');
