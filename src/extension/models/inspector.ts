import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Inspection } from '../../adapters/inspection';
import type { TrainerClient } from '../launcher/client';
import { programError } from '../launcher/program-error';
import { ModelCache } from './cache';
import type { ModelInspector } from './models';

/** Version of the summary's fields and of the rules that name layers; increase it with every change of either. */
const SUMMARY = 4;

/** Models as seen by `aurora inspect`: our own parser in a separate process, so that any file is safe. */
export function createModelInspector(
  context: vscode.ExtensionContext,
  trainer: TrainerClient,
): ModelInspector {
  const { version } = context.extension.packageJSON as { version: string };
  const ask = async (path: string, ...options: string[]) => {
    // Measuring loads a native runtime, which an untrusted workspace must not start.
    const measure = vscode.workspace.isTrusted ? [] : ['--no-measure'];
    const args = ['inspect', path, '--json', ...measure, ...options];
    const result = await trainer.program(args, { untrusted: true });
    if (result.code !== 0) throw programError(result, 'inspect');
    return JSON.parse(result.stdout) as Inspection;
  };
  const folder = join(context.globalStorageUri.fsPath, 'models');
  const cache = new ModelCache(folder, `${version} ${SUMMARY}`, ask);
  return {
    inspect: (path) => cache.inspect(path),
    cached: (path) => cache.cached(path),
    estimate: async (path, { batch, length, method, rank, targets }) => {
      const given = Object.entries({ batch, length, method, rank, targets });
      const options = given.filter(([, value]) => value !== undefined);
      const answer = await ask(path, ...options.map(([key, value]) => `--${key}=${String(value)}`));
      return answer.step;
    },
  };
}
