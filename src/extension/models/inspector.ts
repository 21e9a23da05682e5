import { join } from 'node:path';
import type * as vscode from 'vscode';
import type { ModelSummary } from '../../graph/summary';
import type { TrainerClient } from '../launcher/client';
import { ModelCache } from './cache';
import type { ModelInspector } from './models';
import { programError } from '../launcher/program-error';

/** Version of the summary's fields and of the rules that name layers; increase it with every change of either. */
const SUMMARY = 3;

/** Models as seen by `aurora inspect`: our own parser in a separate process, so that any file is safe. */
export function createModelInspector(
  context: vscode.ExtensionContext,
  trainer: TrainerClient,
): ModelInspector {
  const { version } = context.extension.packageJSON as { version: string };
  const known = `${version} ${SUMMARY}`;
  return new ModelCache(join(context.globalStorageUri.fsPath, 'models'), known, async (path) => {
    const result = await trainer.program(['inspect', path, '--json'], { untrusted: true });
    if (result.code !== 0) throw programError(result, 'inspect');
    return JSON.parse(result.stdout) as ModelSummary;
  });
}
