import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { DEFAULT_METHOD } from '../../experiment/methods';
import { filesBelow, isFolder } from '../../files/tree';
import type { ModelVerdict } from '../../protocol/hub';
import type { MachineRates } from '../../protocol/step-cost';
import { inspectModel } from '../cost/step-cost';

export interface VerdictOptions {
  /** The name of the model in messages, in place of its path on this machine. */
  name: string;
  rates(): Promise<MachineRates | undefined>;
}

/**
 * The cost of training a model, in a few words. A whole model and one of which only the headers are there have the
 * same.
 *
 * @param path an ONNX file or a folder from the hub
 */
export async function modelVerdict(path: string, { name, rates }: VerdictOptions): Promise<ModelVerdict> {
  try {
    const { family, parameters, layers, blocked, step } = await inspectModel(
      path,
      { method: DEFAULT_METHOD },
      rates,
    );
    return {
      usable: true,
      family,
      parameters,
      layers: layers.filter(({ output }) => !output).length,
      blocked: blocked.length,
      step,
    };
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    const named = naming(path, name);
    return { usable: false, problem: named(e.message), hint: e.hint && named(e.hint) };
  }
}

/** Files in the hub's cache are links, and some messages name their targets. */
function naming(path: string, name: string): (text: string) => string {
  const places = isFolder(path)
    ? filesBelow(path).map((file) => [realpathSync(join(path, file)), `${name}/${file}`] as const)
    : [];
  const all = [...places, [realpathSync(path), name] as const, [path, name] as const];
  return (text) => all.reduce((changed, [place, word]) => changed.replaceAll(place, word), text);
}
