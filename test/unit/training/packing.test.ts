import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelSource } from '../../../src/architectures/model-source';
import { normal } from '../../../src/base/random';
import type { Dataset } from '../../../src/data/dataset';
import { openTask } from '../../../src/engine/open-task';
import type { Place } from '../../../src/engine/place';
import type { StepResult, TaskOptions } from '../../../src/engine/stepper';
import { toAttribute } from '../../../src/graph/attributes';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import type { Graph, Model, Node } from '../../../src/graph/model';
import { type DocumentPlaces, DOCUMENTS } from '../../../src/graph/passes/keep-documents-apart';
import { prune } from '../../../src/graph/reads';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { buildTaskGraph } from '../../../src/tasks/task-graph';
import type { LanguageText } from '../../../src/tasks/text/language-text';
import { IGNORE_LABEL } from '../../../src/tasks/objective';
import { checkPacking } from '../../../src/training/loop/check-packing';
import { FIRST_STEP, gradientStep } from '../../../src/training/loop/gradient-step';
import { MicroBatches } from '../../../src/training/micro-batch/micro-batches';
import { DropoutMasks } from '../../../src/training/optimizer/dropout';
import { adaptTo, readModel } from '../../../src/training/task/adapted-model';
import { initialParameters, makeTask, type Task } from '../../../src/training/task/task';
import { rejection, temporaryFolder } from '../data/support';

const FIXTURES = join(import.meta.dirname, '../../fixtures/reference');
const CPU: Place = { engine: 'onnxruntime', device: 'cpu' };
const JAVASCRIPT: Place = { engine: 'tfjs', device: 'wasm' };

const folder = temporaryFolder();
let opened = 0;

/** Texts of these lengths; the first two tokens of each are its prompt. */
const texts = (lengths: readonly number[], vocabulary: number): LanguageText[] =>
  lengths.map((size, row) => {
    const ids = Int32Array.from(
      { length: size },
      (_, i) => 1 + ((row * 31 + i * i * 7 + i) % (vocabulary - 1)),
    );
    return { size, row, ids, targets: ids.map((id, i) => (i < 2 ? IGNORE_LABEL : id)) };
  });

interface Case {
  model: string;
  vocabulary: number;
  targets: string[];
  change?: (model: Model) => Model;
  lengths?: number[];
}

const LENGTHS = [9, 3, 6, 5, 4, 7, 3];

async function taskOf({
  model,
  vocabulary,
  targets,
  change = (m) => m,
  lengths = LENGTHS,
}: Case): Promise<Task> {
  const file = folder.write(
    'packed.aurora.json',
    JSON.stringify({
      model: { path: model, maxLength: 14 },
      task: { type: 'causal-language-modeling', head: 'none' },
      data: { train: 'none.jsonl', validation: 'none.jsonl' },
      adapter: { method: 'aurora', rank: 2, targetModules: targets, dropout: 0 },
      training: { packing: true, seed: 3 },
    }),
  );
  const spec = loadExperiment(file, []);
  const base = readModel(modelSource(model));
  const changed = change(base.model);
  const adapted = adaptTo({ ...base, model: changed, layers: findLinearLayers(changed.graph) }, spec);
  const examples = texts(lengths, vocabulary);
  const split = {
    path: 'none.jsonl',
    rows: [],
    dataset: { examples, truncatedCount: 0, padId: 0, skipped: [] },
    skipped: [],
  };
  const data = { train: split, validation: split, labels: [], assumed: [], warnings: [] };
  return makeTask(spec, adapted, data, folder.path);
}

const open = async ({ model, infos, graph }: Task, place: Place, options: TaskOptions = {}) => {
  const at = join(folder.path, `graph-${opened++}`);
  const { stepper, warnings = [] } = await openTask(model, infos, graph, at, { place, ...options });
  // A warning says that there is nothing to recompute; the test would then test nothing.
  if (options.gradientCheckpointing) expect(warnings).toEqual([]);
  return stepper;
};

/** One step over all texts, in rows and apart. */
async function bothWays(task: Task, place: Place, options?: TaskOptions) {
  const stepper = await open(task, place, options);
  const parameters = initialParameters(task);
  // Adapters start at zero, which would make half of their gradients zero.
  [...parameters.values()].forEach((values, t) => {
    values.forEach((_, i) => (values[i] += 0.2 * normal(11, t, i)));
  });
  const step = async (set: Dataset) => {
    const all = set.examples.map((_, i) => i);
    return stepper.step(await task.feeds(set, all), parameters, 0.1);
  };
  const steps = { packed: await step(task.trainingSet), apart: await step(task.data.train.dataset) };
  await stepper.dispose();
  return steps;
}

function expectAlike(packed: StepResult, apart: StepResult, tolerance: number): void {
  expect(packed.count).toBe(apart.count);
  expect(Math.abs(packed.lossSum / apart.lossSum - 1)).toBeLessThan(tolerance);
  const largest = Math.max(...[...apart.gradients.values()].flatMap((g) => [...g].map(Math.abs)));
  expect(largest).toBeGreaterThan(0);
  for (const [name, gradient] of apart.gradients) {
    const other = packed.gradients.get(name)!;
    const worst = gradient.reduce((most, x, i) => Math.max(most, Math.abs(x - other[i])), 0);
    expect(worst / largest, name).toBeLessThan(tolerance);
  }
}

const GPT2: Case = {
  model: join(FIXTURES, 'more/gpt2.onnx'),
  vocabulary: 41,
  targets: ['c_attn', 'c_proj', 'c_fc'],
};
const DEMO: Case = {
  model: join(import.meta.dirname, '../../../demo/models/debian-llama/model.onnx'),
  vocabulary: 2048,
  targets: ['q_proj', 'k_proj', 'v_proj', 'down_proj'],
};

const attention = (graph: Graph): Node => graph.nodes.find((n) => n.opType === 'Softmax')!;

/** With batch and heads as one axis in the first attention, as exports of batched matrix products have them. */
function mergedHeads({ graph, ...model }: Model): Model {
  const softmax = attention(graph);
  const [scores] = softmax.inputs;
  const nodes: Node[] = [];
  const g = new GraphBuilder({ ...graph, initializers: new Map(graph.initializers) }, '/test', nodes);
  for (const node of graph.nodes) {
    if (node !== softmax) {
      nodes.push(node);
      continue;
    }
    const size = g.op('Shape', [scores]);
    const last = g.op('Slice', [size, g.ints([2]), g.ints([4])]);
    const merged = g.op('Reshape', [scores, g.op('Concat', [g.ints([-1]), last], { axis: 0 })]);
    const weights = g.op('Softmax', [merged], { axis: -1 });
    g.op('Reshape', [weights, size], {}, { outputs: softmax.outputs });
  }
  return { ...model, graph: { ...g.graph, nodes } };
}

/** With an input in place of a tensor of the graph. */
const given =
  (name: string, tensor: string) =>
  (model: Model): Model => {
    const nodes = model.graph.nodes.map((n) => ({
      ...n,
      inputs: n.inputs.map((x) => (x === tensor ? name : x)),
    }));
    const inputs = [...model.graph.inputs, { name, dtype: DType.int64, shape: ['batch', 'sequence'] }];
    return { ...model, graph: prune({ ...model.graph, nodes, inputs }) };
  };

const LLAMA: Case = {
  model: join(FIXTURES, 'llama.onnx'),
  vocabulary: 97,
  targets: ['q_proj', 'v_proj', 'down_proj'],
};

const CASES: Record<string, Case> = {
  'the demo model, with rotary positions': DEMO,
  'GPT-2, which counts its learned positions itself': GPT2,
  'GPT-2 with position_ids as an input': {
    ...GPT2,
    change: given('position_ids', '/Unsqueeze_output_0'),
  },
  'GPT-2 with batch and heads as one axis': { ...GPT2, change: mergedHeads },
  'GPT-NeoX, without a mask as an input': {
    model: join(FIXTURES, 'more/neox.onnx'),
    vocabulary: 31,
    targets: ['query_key_value', 'dense'],
  },
  Gemma: {
    model: join(FIXTURES, 'more/gemma.onnx'),
    vocabulary: 41,
    targets: ['q_proj', 'v_proj', 'down_proj'],
  },
  'Gemma 3 from the hub, with a window': {
    model: join(FIXTURES, '../hf/gemma3'),
    vocabulary: 31,
    targets: ['q_proj', 'v_proj', 'down_proj'],
  },
  'OPT from the hub, which counts its positions from the mask': {
    model: join(FIXTURES, '../hf/opt-projected'),
    vocabulary: 31,
    targets: ['q_proj', 'v_proj', 'fc2'],
  },
  'GPT-Neo from the hub, with learned positions and windows': {
    model: join(FIXTURES, '../hf/gpt-neo-local'),
    vocabulary: 31,
    targets: ['v_proj', 'c_fc'],
  },
  'BLOOM from the hub, with ALiBi counted from the mask': {
    model: join(FIXTURES, '../hf/bloom-post'),
    vocabulary: 31,
    targets: ['query_key_value', 'dense'],
  },
  'MPT from the hub, with ALiBi by place': {
    model: join(FIXTURES, '../hf/mpt-clipped'),
    vocabulary: 31,
    targets: ['Wqkv', 'out_proj'],
  },
  'Falcon from the hub, with ALiBi that needs no rounding': {
    model: join(FIXTURES, '../hf/falcon-rw'),
    vocabulary: 53,
    targets: ['query_key_value', 'dense'],
  },
};

/** Sums of float32 in another order, relative to the largest gradient of a tensor. */
const ROUNDING = 5e-6;

describe('texts in one row', () => {
  it.each(Object.entries(CASES))('have the loss and gradients of texts apart: %s', async (_, given) => {
    const task = await taskOf(given);
    // Rows of up to 14 tokens for 37.
    expect(task.trainingSet.examples.length).toBe(3);
    for (const place of [CPU, JAVASCRIPT]) {
      const { packed, apart } = await bothWays(task, place);
      expectAlike(packed, apart, ROUNDING);
    }
  });

  it('have them with recomputed layers too', async () => {
    const { packed, apart } = await bothWays(await taskOf(LLAMA), CPU, { gradientCheckpointing: true });
    expectAlike(packed, apart, ROUNDING);
  });

  it('have nearly those with weights in float16', async () => {
    const { packed, apart } = await bothWays(await taskOf(LLAMA), CPU, { precision: 'mixed' });
    expectAlike(packed, apart, 1e-4);
  });

  it('are counted as texts in a step, and are warned of where there is one in each row', async () => {
    const task = await taskOf(GPT2);
    expect(task.warnings).toEqual([]);
    const stepper = await open(task, CPU);
    const micro = new MicroBatches(task, stepper, CPU, () => {});
    const dropout = new DropoutMasks(task, 3);
    const rows = [[0, 1], [2]];
    const step = await gradientStep(stepper, task, micro, rows, initialParameters(task), dropout, FIRST_STEP);
    expect([step.examples, step.tokens]).toEqual([7, 37]);
    await stepper.dispose();
    const { warnings } = await taskOf({ ...GPT2, lengths: [9, 8, 8] });
    expect(warnings).toEqual([
      expect.stringContaining('no two training texts fit into a row of model.maxLength (14)'),
    ]);
  });

  it('change nothing in an evaluation', async () => {
    const { model, infos, graph } = await taskOf(GPT2);
    const inputs = (training: boolean) =>
      buildTaskGraph(model, infos, graph, training).model.graph.inputs.map((i) => i.name);
    expect(inputs(true)).toContain(DOCUMENTS);
    expect(inputs(false)).not.toContain(DOCUMENTS);
    expect(model.graph.inputs.map((i) => i.name)).not.toContain(DOCUMENTS);
  });
});

describe('the check before the first step', () => {
  async function check(task: Task): Promise<void> {
    const stepper = await open(task, CPU);
    await checkPacking(task, stepper, new MicroBatches(task, stepper, CPU, () => {}));
    await stepper.dispose();
  }
  const seeing = (task: Task, documents: Partial<DocumentPlaces>): Task => ({
    ...task,
    graph: { ...task.graph, documents: { ...task.graph.documents!, ...documents } },
  });

  it('finds nothing in a model whose texts are kept apart', async () => {
    for (const model of [LLAMA, GPT2]) await check(await taskOf(model));
  });

  it.each([
    ['an attention that was not recognized', LLAMA, { attentions: ['/layer.0/Softmax_output_0'] }],
    ['positions that are counted on', GPT2, { positions: [] }],
  ])('finds %s', async (_, model, documents) => {
    const problem = await rejection('model', check(seeing(await taskOf(model), documents)));
    expect(problem).toMatch(
      /texts influence each other if they are packed into one row \(the loss of two texts is/,
    );
    expect(problem).toContain('Set training.packing to false');
  });
});

describe('a model whose attention is not recognized', () => {
  const changed = (change: (softmax: Node) => Node) => (model: Model) => {
    const softmax = attention(model.graph);
    const nodes = model.graph.nodes.map((n) => (n === softmax ? change(n) : n));
    return { ...model, graph: { ...model.graph, nodes } };
  };
  it.each([
    [
      'is normalized along another axis',
      changed((n) => ({ ...n, attributes: new Map([['axis', toAttribute(2)]]) })),
      /the Softmax ".*" has the shape \[batch, 3, sequence, sequence\]/,
    ],
    [
      'has another operator',
      changed((n) => ({ ...n, opType: 'LogSoftmax' })),
      /no attention was found, which training.packing needs/,
    ],
  ])('is refused: its attention %s', async (_, change, message) => {
    const problem = await rejection('model', taskOf({ ...GPT2, change }));
    expect(problem).toMatch(message);
    expect(problem).toMatch(/gpt2\.onnx: .*\| Set training\.packing to false/);
  });
});
