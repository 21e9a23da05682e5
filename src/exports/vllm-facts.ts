import { adapterScale, methodOf } from '../adapters/methods/registry';
import { FAMILIES } from '../architectures/families/family-registry';
import { isHeadAlone, isRanked } from '../experiment/methods';
import { plainSpec } from '../adapters/starts/plain-adapter';
import { isPeftLora } from '../peft/adapter-config';
import { baseModel } from '../peft/base-model';
import type { ExportForm } from '../protocol/export';
import { type VllmLimit, vllmLimits } from '../protocol/vllm-limits';
import type { Task } from '../training/task/task';

/**
 * The limits of vLLM for an export that is one of PEFT's LoRAs, on a folder of a decoder. Undefined for other forms and models, which
 * vLLM does not load with an adapter.
 *
 * @param task the one that is written: with the fit of AuroRA, it is a LoRA
 */
export function limitsInVllm(form: ExportForm, task: Task): VllmLimit[] | undefined {
  const { adapter } = task.spec;
  const isLora = form === 'peft-lora' || (form === 'adapter' && isPeftLora(adapter));
  if (!isLora || isHeadAlone(adapter) || !isRanked(adapter) || task.source.kind !== 'hub') return undefined;
  const modelType = String(baseModel(task.spec.model.path).config.model_type);
  if (!FAMILIES.get(modelType)?.caches) return undefined;
  const own = task.adapters.filter((a) => !a.beside).map(({ spec, layer }) => ({ spec, path: layer.path }));
  return vllmLimits({
    modelType,
    rank: Math.max(...own.map(({ spec }) => (isRanked(spec) ? plainSpec(spec).rank : 0))),
    hasOwnScales: own.some(({ spec }) => adapterScale(spec) !== adapterScale(adapter)),
    outputLayers: own.map(({ path }) => path).filter((path) => OUTPUT_LAYER.test(path)),
    hasBias: 'loraBias' in adapter && adapter.loraBias,
    isDora: methodOf(adapter).peft.flag === 'use_dora',
    hasHead: task.head !== undefined || task.adapters.some((a) => a.beside),
  });
}

/** The head for language of transformers' decoders. */
const OUTPUT_LAYER = /(^|\.)(lm_head|embed_out)$/;
