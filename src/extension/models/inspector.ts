import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Inspection } from '../../adapters/inspection';
import type { TrainerClient } from '../launcher/client';
import { ratesFolder } from '../../files/cache-folder';
import { programError } from '../../executors/local/program';
import { ModelCache } from './model-cache';
import { InputFiles } from './input-files';
import type { ModelInspector, StepChoice } from './known-model';

/** Version of the summary's fields and of the rules that name layers; increase it with every change of either. */
const SUMMARY = 6;

const settings = ({ method, rank, targets, head, output }: Omit<StepChoice, 'batch' | 'length'>) => ({
  method,
  rank,
  targets,
  head: head === undefined ? undefined : head ? 'linear' : 'none',
  output,
});

const options = (given: Record<string, string | number | undefined>): string[] =>
  Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [`--${key}=${value}`]));

/** Models as seen by `aurora inspect`: our own parser in a separate process, so that any file is safe. */
export function createModelInspector(
  context: vscode.ExtensionContext,
  trainer: TrainerClient,
  log: vscode.LogOutputChannel,
): ModelInspector {
  const { version } = context.extension.packageJSON as { version: string };
  const ask = async (path: string, options: string[] = [], token?: vscode.CancellationToken) => {
    // Measuring loads a native runtime, which an untrusted workspace must not start.
    const measure = vscode.workspace.isTrusted ? [] : ['--no-measure'];
    const args = ['inspect', path, '--json', ...measure, ...options];
    const result = await trainer.program(args, { untrusted: true, token });
    if (result.code !== 0) throw programError(result, 'inspect');
    return JSON.parse(result.stdout) as Inspection;
  };
  const inputs = new InputFiles(trainer, log);
  const folder = join(context.globalStorageUri.fsPath, 'models');
  const cache = new ModelCache(folder, `${version} ${SUMMARY}`, ratesFolder(), (path) => ask(path));
  return {
    inspect: (path) => cache.inspect(path),
    look: (path, { batch, length, ...choice }, token) =>
      ask(path, options({ batch, length, ...settings(choice) }), token),
    cached: (path) => cache.cached(path),
    unusable: (files) => inputs.unusable(files),
    cachedUnusable: (files) => inputs.cached(files),
    estimate: async (path, { batch, length, ...choice }) =>
      (await ask(path, options({ batch, length, ...settings(choice) }))).step,
    estimates: async (path, choice, { batches, lengths }) => {
      const { step, steps } = await ask(
        path,
        options({ batch: batches.join(), length: lengths.join(), ...settings(choice) }),
      );
      return steps ?? [step];
    },
  };
}
