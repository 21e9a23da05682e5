import { methodOf } from '../../../adapters/methods/registry';
import type { TrainedSpec } from '../../../experiment/methods';
import { importedSpec } from '../../../peft/adapter-spec';
import { PREFIX } from '../../../peft/keys';
import type { ReferenceCase, StepFields } from './case';

/** A file of test/fixtures/peft: settings and tensors under PEFT's names, modules of a class of transformers. */
export type PeftCase = ReferenceCase & { peftType: string };

/**
 * A case of PEFT under our names: its settings are read as an import reads them.
 *
 * @param path of the file, for errors
 * @param prefix of the base model's modules in the class: `roberta.`
 * @throws AuroraError 'adapter' for a method or settings that cannot be imported
 */
export function fromPeft(c: PeftCase, path: string, prefix: string): ReferenceCase {
  const config = { ...c.hyper, peft_type: c.peftType };
  const { spec } = importedSpec({ folder: path, config, tensors: new Map() });
  const parts = shortNames({ ...spec, targetModules: c.targets } as TrainedSpec);
  const module = (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  const tensor = (key: string): string => {
    const part = [...parts.keys()].find((p) => key.endsWith(`.${p}`));
    if (part === undefined || !key.startsWith(PREFIX)) return key;
    return `${module(key.slice(PREFIX.length, -part.length - 1))}.${parts.get(part)}`;
  };
  const step = <S extends Pick<StepFields, 'gradients'>>(fields: S): S => ({
    ...fields,
    gradients: renamed(fields.gradients, tensor),
  });
  return {
    ...step(c),
    adapter: spec.method,
    hyper: hyperOf(spec),
    modules: (c.modules ?? []).map(module),
    trainable: renamed(c.trainable, tensor),
    mergedDelta: renamed(c.mergedDelta, module),
    ...(c.mergedBiasDelta && { mergedBiasDelta: renamed(c.mergedBiasDelta, module) }),
    trainedNorms: renamed(c.trainedNorms, tensor),
    otherShapes: (c.otherShapes ?? []).map(step),
  };
}

/** A method's tensors by the ends of their keys in PEFT's file. */
function shortNames(spec: TrainedSpec): Map<string, string> {
  // No values are made.
  const layer = { inFeatures: 1024, outFeatures: 1024, hasBias: true };
  return new Map(
    methodOf(spec)
      .tensors({ layer, spec, widest: layer })
      .map((t) => [t.peftName, t.name]),
  );
}

/** Settings as `hyper` has them: the scale in place of alpha. */
function hyperOf(spec: Omit<TrainedSpec, 'targetModules'>): ReferenceCase['hyper'] {
  const scale = methodOf(spec).scale?.(spec as TrainedSpec);
  return { ...spec, ...(scale !== undefined && { scale }) };
}

const renamed = <T>(values: Record<string, T>, name: (key: string) => string): Record<string, T> =>
  Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [name(key), value]));
