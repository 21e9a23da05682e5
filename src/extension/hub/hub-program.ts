import type * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import type { HubKind } from '../../experiment/hub-reference';
import type { DownloadEvent, FoundRepo, GotReference, HubData, HubLine, HubModel } from '../../protocol/hub';
import { hubEnvironment } from '../launcher/environment';
import { throughNetwork } from '../launcher/network';
import { programError, programLine } from '../../executors/local/program';
import type { Services } from '../services';
import { storedToken } from './token';

/** Gigabytes over a slow line, and the machine may sleep in between. A stalled download ends much sooner. */
const LONGEST_MS = 7 * 24 * 3600_000;

/** `aurora get WHAT`: the name of a model or a data set on the hub, or a file of the workspace that names some. */
export const WHAT: Record<HubKind, 'model' | 'data'> = { model: 'model', dataset: 'data' };

const KINDS: HubLine['kind'][] = [
  ...(['found', 'model', 'data', 'got'] as const),
  ...(['started', 'progress', 'waiting', 'verifying', 'retrying', 'file'] as const),
];

interface Options {
  token?: vscode.CancellationToken;
  /** The folder of a file that is named; such a command needs a trusted workspace. */
  cwd?: string;
  timeout?: number;
  onLine?: (line: HubLine) => void;
}

/**
 * `aurora get … --json`, which alone asks the hub. A workspace has no say in where it asks and with what access: the
 * variables are those of the editor's own environment, and the token is the user's.
 */
async function get(
  { context, trainer, log }: Services,
  args: readonly string[],
  { onLine, ...options }: Options = {},
): Promise<HubLine[]> {
  const lines: HubLine[] = [];
  const result = await trainer.program(['get', ...args, '--json'], {
    ...options,
    untrusted: true,
    env: { ...throughNetwork(), ...hubEnvironment(process.env, await storedToken(context)) },
    onLine(text) {
      const line = programLine<HubLine>(text, KINDS);
      if (!line) return;
      if (line.kind !== 'progress') log.trace(text);
      if (onLine) onLine(line);
      else lines.push(line);
    },
  });
  if (result.code !== 0) throw programError(result, 'get');
  return lines;
}

export async function searchHub(
  services: Services,
  kind: HubKind,
  text: string,
  token: vscode.CancellationToken,
): Promise<FoundRepo[]> {
  const lines = await get(services, [WHAT[kind], '--search', text], { token });
  return lines.flatMap((line) => (line.kind === 'found' ? line.repos : []));
}

export type Shown = HubModel | HubData;

/** The planned download. @param args of `aurora get` */
export async function showHub(
  services: Services,
  args: readonly string[],
  options: Pick<Options, 'token' | 'cwd'> = {},
): Promise<Shown[]> {
  const lines = await get(services, [...args, '--show'], options);
  return lines.filter((line): line is Shown => line.kind === 'model' || line.kind === 'data');
}

/** @returns the references in the cache then */
export async function downloadHub(
  services: Services,
  args: readonly string[],
  tell: (event: DownloadEvent) => void,
  options: Pick<Options, 'token' | 'cwd'>,
): Promise<GotReference[]> {
  let got: GotReference[] | undefined;
  await get(services, [...args, '--yes'], {
    ...options,
    timeout: LONGEST_MS,
    onLine(line) {
      if (line.kind === 'got') got = line.got;
      else if (line.kind !== 'found' && line.kind !== 'model' && line.kind !== 'data') tell(line);
    },
  });
  if (!got)
    throw new AuroraError(
      'failed',
      'aurora get ended without a result.',
      'Run it again: it continues where it stopped.',
    );
  return got;
}
