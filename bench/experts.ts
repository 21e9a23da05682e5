import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selectAdapters } from '../src/adapters/targets/select';
import { writeTensors } from '../src/architectures/folder/weights';
import { loadModelFrom } from '../src/architectures/load';
import { modelSource } from '../src/architectures/model-source';
import { normal } from '../src/base/random';
import { fixedModel, stepGraph } from '../src/checks/cost/step-graph';
import { stepTime } from '../src/checks/cost/step-work';
import { TIMED_ADAPTER } from '../src/checks/doctor/place-rates';
import { probe } from '../src/engine/onnxruntime/probe';
import { openTask } from '../src/engine/open-task';
import { DType } from '../src/graph/dtype';
import { findLinearLayers } from '../src/graph/layers/linear';
import { elementCount } from '../src/graph/model';
import { prepareModel } from '../src/graph/prepare';
import { summarize } from '../src/graph/summary';
import type { HostTensors } from '../src/graph/tensor-infos';
import { LABELS } from '../src/tasks/task-graph';
import { initialAdapters } from '../src/training/task/initialize';

const SIZE = { hidden: 512, layers: 4, heads: 8, keyValueHeads: 4, vocabulary: 1024 };
const EXPERTS = 8;
const EACH = 2;
/** Features of an expert; the dense model has one feed-forward part with as many as a token's experts together. */
const INNER = 1024;
const BATCH = 8;
const LENGTH = 128;
const WARM_UP = 2;

const SHARED = {
  hidden_size: SIZE.hidden,
  num_hidden_layers: SIZE.layers,
  num_attention_heads: SIZE.heads,
  num_key_value_heads: SIZE.keyValueHeads,
  vocab_size: SIZE.vocabulary,
  max_position_embeddings: 2 * LENGTH,
  sliding_window: null,
};

/** The config.json of each model. */
const CONFIGS = {
  experts: {
    ...SHARED,
    model_type: 'mixtral',
    architectures: ['MixtralForCausalLM'],
    intermediate_size: INNER,
    num_local_experts: EXPERTS,
    num_experts_per_tok: EACH,
  },
  dense: {
    ...SHARED,
    model_type: 'mistral',
    architectures: ['MistralForCausalLM'],
    intermediate_size: EACH * INNER,
  },
};

type Kind = keyof typeof CONFIGS;

/** The weights of a model and their shapes. */
function weightsOf(kind: Kind): Map<string, number[]> {
  const { hidden, layers, heads, keyValueHeads, vocabulary } = SIZE;
  const narrow = (hidden / heads) * keyValueHeads;
  const weights = new Map<string, number[]>();
  const matrix = (name: string, out: number, from: number) => weights.set(`${name}.weight`, [out, from]);
  matrix('model.embed_tokens', vocabulary, hidden);
  for (let i = 0; i < layers; i++) {
    const at = `model.layers.${i}`;
    for (const name of ['q_proj', 'o_proj']) matrix(`${at}.self_attn.${name}`, hidden, hidden);
    for (const name of ['k_proj', 'v_proj']) matrix(`${at}.self_attn.${name}`, narrow, hidden);
    for (const name of ['input_layernorm', 'post_attention_layernorm'])
      weights.set(`${at}.${name}.weight`, [hidden]);
    const feed = (names: string[], inner: number) => {
      const [gate, up, down] = names;
      matrix(gate, inner, hidden);
      matrix(up, inner, hidden);
      matrix(down, hidden, inner);
    };
    if (kind === 'dense')
      feed(
        ['gate_proj', 'up_proj', 'down_proj'].map((name) => `${at}.mlp.${name}`),
        EACH * INNER,
      );
    else {
      matrix(`${at}.block_sparse_moe.gate`, EXPERTS, hidden);
      for (let e = 0; e < EXPERTS; e++)
        feed(
          ['w1', 'w3', 'w2'].map((name) => `${at}.block_sparse_moe.experts.${e}.${name}`),
          INNER,
        );
    }
  }
  weights.set('model.norm.weight', [hidden]);
  matrix('lm_head', vocabulary, hidden);
  return weights;
}

/** A folder of random weights. */
function makeFolder(kind: Kind, folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIGS[kind]));
  const drawn = Float32Array.from({ length: 2 ** 16 }, (_, i) => normal(1, 0, i) / Math.sqrt(SIZE.hidden));
  const tensors = Array.from(weightsOf(kind), ([name, dims], k) => ({
    name,
    dtype: 'F32',
    dims,
    data() {
      const start = k * 4099;
      const one = (i: number) => (dims.length === 1 ? 1 : drawn[(start + i) % drawn.length]);
      return new Uint8Array(Float32Array.from({ length: elementCount(dims) }, (_, i) => one(i)).buffer);
    },
  }));
  writeTensors(join(folder, 'model.safetensors'), tensors);
  return folder;
}

async function openStep(kind: Kind, folder: string, threads: number) {
  const original = loadModelFrom(modelSource(makeFolder(kind, join(folder, kind))));
  const { parameters: all, activeParameters: active = all } = summarize(original);
  const model = prepareModel(original);
  const layers = findLinearLayers(model.graph);
  const targetModules = ['q_proj', 'v_proj'];
  const { adapters } = selectAdapters(model.graph, layers, { ...TIMED_ADAPTER, targetModules }, 'logits');
  const spec = { objective: 'causal-lm' as const, output: 'logits', adapters };
  const sizes = new Map(['input_ids', 'attention_mask'].map((name) => [name, [BATCH, LENGTH]]));
  const rates = { gflops: 1, bytesPerSecond: 1e9 } as Parameters<typeof stepTime>[1];
  const { flops } = stepTime(stepGraph(fixedModel(model, sizes), spec, sizes), rates);
  const infos = await probe(model, folder);
  const { stepper } = await openTask(model, infos, spec, join(folder, `${kind}-step`), { threads });
  const parameters = new Map(initialAdapters(adapters, 0));
  const ids = (i: number) => (i * 7919) % SIZE.vocabulary;
  const inputs: HostTensors = {
    input_ids: integers(ids),
    attention_mask: integers(() => 1),
    [LABELS]: integers(ids),
  };
  return {
    facts: { parameters: all, active, flops },
    async step() {
      const [start, before] = [performance.now(), process.cpuUsage()];
      await stepper.step(inputs, parameters, 1 / (BATCH * (LENGTH - 1)));
      const { user, system } = process.cpuUsage(before);
      return { ms: performance.now() - start, cpu: (user + system) / 1000 };
    },
    dispose: () => stepper.dispose(),
  };
}

const integers = (value: (i: number) => number) => ({
  dtype: DType.int64,
  dims: [BATCH, LENGTH],
  data: BigInt64Array.from({ length: BATCH * LENGTH }, (_, i) => BigInt(value(i))),
});

/**
 * Usage: experts THREADS ROUNDS. Prints one line of JSON: for each model, its parameters, those that a token has, the FLOPs of a step's
 * products, and the steps' times and CPU times. The models take turns.
 */
async function main(threads: number, rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-experts-'));
  try {
    const models = [];
    for (const kind of Object.keys(CONFIGS) as Kind[])
      models.push({
        kind,
        opened: await openStep(kind, folder, threads),
        steps: [] as { ms: number; cpu: number }[],
      });
    for (let round = -WARM_UP; round < rounds; round++)
      for (const { opened, steps } of models) {
        const measured = await opened.step();
        if (round >= 0) steps.push(measured);
      }
    const line = Object.fromEntries(
      models.map(({ kind, opened, steps }) => [kind, { ...opened.facts, steps }]),
    );
    process.stdout.write(`${JSON.stringify(line)}\n`);
    for (const { opened } of models) await opened.dispose();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.env.ORT_DISABLE_TELEMETRY = '1';
const [threads, rounds] = process.argv.slice(2).map(Number);
main(threads, rounds).catch((e: unknown) => {
  console.error(e);
  process.exit(1);
});
