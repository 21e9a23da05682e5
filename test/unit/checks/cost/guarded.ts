import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { likelyTargets, selectAdapters } from '../../../../src/adapters/targets/select';
import { loadModelFrom } from '../../../../src/architectures/load';
import { modelSource } from '../../../../src/architectures/model-source';
import { openTask } from '../../../../src/engine/open-task';
import { GRAD_SCALE } from '../../../../src/engine/onnxruntime/step-constants';
import { probe } from '../../../../src/engine/onnxruntime/probe';
import { adapterDefaults } from '../../../../src/experiment/adapter-defaults';
import type { AdapterSpec } from '../../../../src/experiment/methods';
import { loadModel } from '../../../../src/graph/file/load';
import { saveModel } from '../../../../src/graph/file/save';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import type { Graph } from '../../../../src/graph/model';
import { prepareModel } from '../../../../src/graph/prepare';
import { LABEL_ROWS } from '../../../../src/tasks/label-rows';
import { LABELS, type TrainableInfo } from '../../../../src/tasks/task-graph';
import { answerOf, inputSizes, fixedModel } from '../../../../src/checks/cost/step-graph';
import { encoderModel } from '../../../../src/checks/doctor/encoder';
import { safetensors } from '../../architectures/folders';
import { countsOf, type Counts } from './counts';

export const BATCH = { batch: 4, length: 32 };

/** The files of three models: an encoder as PyTorch exports it, and a decoder and a ViT as hub folders. */
export const MODELS: Record<string, (folder: string) => string> = {
  encoder(folder) {
    const size = { layers: 3, hidden: 64, heads: 4, feedForward: 256, vocabulary: 128, positions: 64 };
    const path = join(folder, 'encoder.onnx');
    saveModel(encoderModel(size), path);
    return path;
  },
  decoder: (folder) => decoder(folder),
  vit: () => join(import.meta.dirname, '../../../fixtures/hf/vit'),
};

/** A head alone, and two adapters of rank 2 on query and value. */
export const METHODS = ['none', 'lora', 'aurora'] as const;

/** With so many tokens that a step computes logits only where there are labels. */
function decoder(folder: string): string {
  const [hidden, inner, heads, groups, vocabulary, layers] = [64, 128, 4, 2, 4096, 3];
  const shared = (hidden / heads) * groups;
  const dims: Record<string, number[]> = {
    'model.embed_tokens.weight': [vocabulary, hidden],
    'model.norm.weight': [hidden],
    'lm_head.weight': [vocabulary, hidden],
  };
  for (let i = 0; i < layers; i++) {
    const own = {
      input_layernorm: [hidden],
      'self_attn.q_proj': [hidden, hidden],
      'self_attn.k_proj': [shared, hidden],
      'self_attn.v_proj': [shared, hidden],
      'self_attn.o_proj': [hidden, hidden],
      post_attention_layernorm: [hidden],
      'mlp.gate_proj': [inner, hidden],
      'mlp.up_proj': [inner, hidden],
      'mlp.down_proj': [hidden, inner],
    };
    for (const [name, size] of Object.entries(own)) dims[`model.layers.${i}.${name}.weight`] = size;
  }
  const config = {
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    hidden_act: 'silu',
    hidden_size: hidden,
    intermediate_size: inner,
    num_attention_heads: heads,
    num_key_value_heads: groups,
    num_hidden_layers: layers,
    vocab_size: vocabulary,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: false,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const tensors = Object.entries(dims).map(([name, d]) => [name, { dims: d }] as const);
  writeFileSync(join(folder, 'model.safetensors'), safetensors(Object.fromEntries(tensors)));
  return folder;
}

/**
 * The counts of the two graphs that a run opens on the CPU, read from the files that ONNX Runtime gets: whatever pass
 * has changed them.
 *
 * @param path of the model
 * @param folder for the graphs; must not exist
 */
export async function countGraphs(
  path: string,
  method: (typeof METHODS)[number],
  folder: string,
): Promise<{ step: Counts; evaluation: Counts }> {
  const model = prepareModel(loadModelFrom(modelSource(path)));
  const sizes = inputSizes(model.graph, BATCH);
  const layers = findLinearLayers(model.graph);
  const spec = {
    ...adapterDefaults(method),
    ...(method !== 'none' && { rank: 2 }),
    targetModules: likelyTargets(layers),
  };
  const answer = answerOf(fixedModel(model, sizes), method === 'none' ? { head: true } : {});
  const { adapters } = selectAdapters(model.graph, layers, spec as unknown as AdapterSpec, answer.output);
  const { stepper, trainable } = await openTask(model, await probe(model), { ...answer, adapters }, folder);
  try {
    const [step, evaluation] = ['step.onnx', 'evaluate.onnx'].map((name) => {
      const { graph } = loadModel(join(folder, name));
      return countsOf(graph, allSizes(graph, sizes, trainable));
    });
    return { step, evaluation };
  } finally {
    await stepper.dispose();
  }
}

/** With those of trained tensors and of labels, at every position. */
function allSizes(
  graph: Graph,
  inputs: ReadonlyMap<string, number[]>,
  trainable: readonly TrainableInfo[],
): Map<string, number[]> {
  const { batch, length } = BATCH;
  const sizes = new Map(inputs);
  for (const { name, dims } of trainable) sizes.set(name, dims);
  sizes.set(GRAD_SCALE, []);
  const rows = [batch * length];
  const labels = graph.inputs.find(({ name }) => name === LABELS)!;
  if (graph.inputs.some(({ name }) => name === LABEL_ROWS)) sizes.set(LABEL_ROWS, rows).set(LABELS, rows);
  else sizes.set(LABELS, labels.shape!.length === 1 ? [batch] : [batch, length]);
  return sizes;
}
