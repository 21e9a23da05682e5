import { tensorName } from '../../adapters/stored-tensors';
import { dirname, join } from 'node:path';
import { ownValues } from '../../adapters/merge';
import { layerValues } from '../../adapters/methods/layer-values';
import { lora, plainLora } from '../../adapters/methods/lora';
import { adapterScale, methodOf } from '../../adapters/methods/registry';
import type { LayerAdapter } from '../../adapters/targets/select';
import { AuroraError } from '../../base/errors';
import { isHeadAlone, methodName } from '../../experiment/methods';
import type { LinearLayer } from '../../graph/layers/linear';
import { moduleOfParameter } from '../../graph/layers/module-path';
import { readFileRef } from '../../graph/values';
import { LORA_TYPE } from '../../peft/adapter-config';
import { baseModel } from '../../peft/base-model';
import { measureTask } from '../../training/measure';
import type { Task } from '../../training/task/task';
import { copyIfBeside } from '../base-files';
import type { Form } from '../export-forms';
import { ENCODINGS } from './encodings';
import { placeOf } from './families';
import { ADAPTER_FILE } from './file-names';
import { float32, type GgufTensor, string, writeGguf } from './gguf-file';
import { type GgufModel, ggufModel } from './gguf-model';
import { readGguf } from './gguf-reader';
import { permuteRows } from './layout';
import { generalMetadata } from './model-metadata';
import { writeAdapterModelfile } from './modelfile';

const ALPHA = 'adapter.lora.alpha';

/** A run's adapters as llama.cpp's LoRA, as convert_lora_to_gguf.py of llama.cpp writes it, in float32. */
export const ggufLora: Form = {
  check({ task }) {
    const model = ggufModel(task, 'gguf-lora');
    const { adapter } = task.spec;
    // A head alone has been refused with its head.
    if (isHeadAlone(adapter) || !methodOf(adapter).lowRank)
      throw new AuroraError(
        'usage',
        `The run trained ${isHeadAlone(adapter) ? 'only a head' : methodName(adapter)}, which is not a LoRA.`,
        'Export with --as gguf, which merges it into the weights.',
      );
    for (const { layer, spec, beside } of task.adapters) {
      if (beside)
        throw new AuroraError(
          'usage',
          `${layer.path} was trained besides (adapter.modulesToSave or trainableTokenIndices), which llama.cpp’s LoRA has no place for.`,
          'Export with --as gguf, which merges it into the weights.',
        );
      if (methodOf(spec).changesBias?.(spec, layer))
        throw new AuroraError(
          'usage',
          `The adapter of ${layer.path} has a bias (adapter.loraBias), which llama.cpp’s LoRA has no place for.`,
          layer.bias
            ? 'Export with --as gguf, which adds it to the layer’s own.'
            : 'Export with --as onnx-merged.',
        );
      tensorOf(model, layer);
    }
  },

  write({ task, parameters }, folder) {
    const model = ggufModel(task, 'gguf-lora');
    const base = baseModel(task.spec.model.path);
    const alpha = alphaOf(task.adapters);
    const tensors = task.adapters.flatMap((adapter) => pairOf(model, adapter, parameters, alpha));
    const metadata = new Map([
      ...generalMetadata(model.family, 'adapter', base, 'F32'),
      ['adapter.type', string(LORA_TYPE.toLowerCase())] as const,
      [ALPHA, float32(alpha)] as const,
    ]);
    writeGguf(join(folder, ADAPTER_FILE), metadata, tensors);
    writeAdapterModelfile(folder, task, base);
    for (const name of base.license.files) copyIfBeside(dirname(task.source.file), name, folder);
  },

  measure({ task }, folder, work) {
    const model = ggufModel(task, 'gguf-lora');
    const { metadata, tensors } = readGguf(join(folder, ADAPTER_FILE));
    const alpha = metadata.get(ALPHA)!.value as number;
    const parameters = new Map<string, Float32Array>();
    const adapters = task.adapters.map(({ layer, widest }): LayerAdapter => {
      const { name, heads } = tensorOf(model, layer);
      const [a, b] = (['lora_a', 'lora_b'] as const).map((part) => tensors.get(`${name}.${part}`)!);
      const [A, B] = [a, b].map(({ type, data }) => ENCODINGS[type].decode(readFileRef(data)));
      const on = { layer, widest, spec: { ...plainLora(a.dims[0]), alpha } };
      const adapter: LayerAdapter = { ...on, tensors: lora.tensors(on) };
      parameters.set(tensorName(adapter, 'A'), A);
      parameters.set(
        tensorName(adapter, 'B'),
        heads === undefined ? B : permuteRows(B, layer.outFeatures, heads, true),
      );
      return adapter;
    });
    const read: Task = { ...task, adapters, graph: { ...task.graph, adapters } };
    return measureTask(read, parameters, work);
  },
};

/** The tensor that an adapter changes, and the number of heads if its rows are in another order. */
function tensorOf({ family, facts }: GgufModel, layer: LinearLayer): { name: string; heads?: number } {
  if (layer.sharedWith.length > 0)
    throw new AuroraError(
      'model',
      `${layer.path} has the same weight as ${layer.sharedWith.join(', ')}, so llama.cpp has no tensor for an adapter of it alone.`,
      'Export with --as peft-lora, or leave the layer out with adapter.excludeModules.',
    );
  // Weights of few bits have an ending of their quantizer.
  const module = moduleOfParameter(layer.weight.name);
  const place = placeOf(family, facts, module === undefined ? layer.weight.name : `${module}.weight`);
  if (!place)
    throw new AuroraError(
      'model',
      `llama.cpp has no tensor for ${layer.path} in models of the architecture ${family.architecture}.`,
      'Export with --as peft-lora.',
    );
  const { name, layout } = place;
  return { name, ...(layout.kind === 'permuted' && { heads: layout.heads }) };
}

const rankOf = ({ spec }: LayerAdapter): number => ('rank' in spec ? spec.rank : 1);

/**
 * The file's one alpha: llama.cpp scales each B A by alpha / rank. It is that of the first adapter, so that usually no B
 * changes.
 */
const alphaOf = (adapters: readonly LayerAdapter[]): number =>
  adapterScale(adapters[0].spec) * rankOf(adapters[0]);

/** An adapter's A (r, in) and B (out, r), where B has what alpha / rank lacks to its scale. */
function pairOf(
  model: GgufModel,
  adapter: LayerAdapter,
  parameters: ReadonlyMap<string, Float32Array>,
  alpha: number,
): GgufTensor[] {
  const { layer, spec } = adapter;
  const { name, heads } = tensorOf(model, layer);
  const { A, B } = methodOf(spec).lowRank!(ownValues(adapter, parameters), adapter, layerValues(layer));
  const rank = A.length / layer.inFeatures;
  const ratio = (adapterScale(spec) * rank) / alpha;
  const scaled = Math.abs(ratio - 1) < 1e-12 ? B : B.map((v) => v * ratio);
  const ordered = heads === undefined ? scaled : permuteRows(scaled, layer.outFeatures, heads);
  return (
    [
      ['lora_a', [rank, layer.inFeatures], A],
      ['lora_b', [layer.outFeatures, rank], ordered],
    ] as const
  ).map(([part, dims, values]) => ({
    name: `${name}.${part}`,
    dims,
    type: 'F32',
    data: () => [ENCODINGS.F32.encode(values)],
  }));
}
