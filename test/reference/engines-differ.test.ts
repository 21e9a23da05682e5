import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openForward } from '../../src/engine/open-task';
import { CPU, type Place } from '../../src/engine/place';
import { buildTaskGraph, LABELS } from '../../src/tasks/task-graph';
import { GraphBuilder } from '../../src/graph/builder';
import { DType } from '../../src/graph/dtype';
import type { Model, Node } from '../../src/graph/model';
import type { Subject } from '../../src/checks/verify/sides';
import { subjectOf, verify } from './engines';

const PLAIN: Place = { engine: 'tfjs', device: 'cpu' };

/** The two engines get different models, which simulates a wrong operator. */
describe('verify, if the engines differ', () => {
  let model: Model;
  let subject: Subject;
  /** The last node of the first layer. */
  let norm: Node;
  beforeAll(async () => {
    ({ model, subject } = await subjectOf('bert-aurora.json'));
    norm = model.graph.nodes.filter((n) => n.opType === 'LayerNormalization').at(-3)!;
  });

  /**
   * The model with other nodes in place of that one. The others are the same objects, because adapters refer
   * to them.
   */
  const changed = (make: (g: GraphBuilder) => void): Model => {
    const initializers = new Map(model.graph.initializers);
    const nodes: Node[] = [];
    const graph = { ...model.graph, nodes, initializers };
    for (const node of model.graph.nodes)
      if (node === norm) make(new GraphBuilder({ ...graph, nodes: model.graph.nodes }, '/wrong', nodes));
      else nodes.push(node);
    return { ...model, graph };
  };
  const other = (wrong: Model) => verify({ place: CPU, model }, { place: PLAIN, model: wrong }, subject);

  it('names the first tensor that differs in the forward pass, with its node, module and both values', async () => {
    const wrong = changed((g) =>
      g.sink.push({
        ...norm,
        attributes: new Map([...norm.attributes, ['epsilon', { type: 'float', value: 0.3 }]]),
      }),
    );
    const result = await other(wrong);
    expect(result.agree).toBe(false);
    expect(result.rows.filter((r) => !r.agree).map((r) => r.what)).toContain('loss');
    const { first } = result;
    expect(first).toMatchObject({
      stage: 'forward',
      tensor: norm.outputs[0],
      operator: 'LayerNormalization',
      node: norm.name,
      module: norm.name.split('/').slice(1, -1).join('.'),
    });
    expect(first!.position).toHaveLength(3);
    const [a, b] = first!.both.map(Number);
    expect(Math.abs(a - b)).toBeGreaterThan(1e-3 * Math.abs(a));
  });

  it('names the tensor nearest to the cause if only a gradient differs', async () => {
    // Half of each number passes through Floor, which has no gradient, in steps too small to matter.
    const wrong = changed((g) => {
      const [y] = norm.outputs;
      const raw = g.fresh('raw');
      g.sink.push({ ...norm, outputs: [raw, ...norm.outputs.slice(1)] });
      const scale = g.scalar(2 ** 21, DType.float);
      const half = g.scalar(0.5, DType.float);
      const steps = g.op('Div', [g.op('Floor', [g.op('Mul', [raw, scale])]), scale]);
      g.op('Add', [g.op('Mul', [raw, half]), g.op('Mul', [steps, half])], {}, { outputs: [y] });
    });
    const result = await other(wrong);
    expect(result.rows.filter((r) => !r.agree).map((r) => r.what)).toContain('gradients');
    expect(result.rows.filter((r) => r.what !== 'gradients').every((r) => r.agree)).toBe(true);
    // The gradients of later layers are right.
    expect(result.first).toMatchObject({ stage: 'gradient', tensor: expect.stringMatching(/^layer\.0\./) });
    const { differing } = result.first as { differing: string[] };
    expect(differing.length).toBeGreaterThan(1);
    expect(differing.every((name) => name.startsWith('layer.0.'))).toBe(true);
  });

  it('leaves out a text with a value so close to a kink that rounding decides, and reports it', async () => {
    const round = subject.rounds[1];
    const [y] = norm.outputs;
    const examples = subject.inputs[LABELS].dims[0];
    // Places the first number of the first text at a kink, a rounding error above or below it.
    const near = (shift: number) =>
      changed((g) => {
        const raw = g.fresh('raw');
        g.sink.push({ ...norm, outputs: [raw, ...norm.outputs.slice(1)] });
        const bent = g.op('Relu', [g.op('Sub', [raw, g.scalar(at + shift, DType.float)])]);
        g.op('Add', [raw, bent], {}, { outputs: [y] });
      });
    const folder = mkdtempSync(join(tmpdir(), 'aurora-kink-'));
    const task = buildTaskGraph(model, subject.infos, subject.spec, false);
    const forward = await openForward(task.model, [y], folder, { place: CPU });
    const trained = task.trainable.map(({ name, dims }) => [
      name,
      { dtype: DType.float, dims, data: round.parameters.get(name)! },
    ]);
    const { [y]: normed } = await forward.run({ ...subject.inputs, ...Object.fromEntries(trained) });
    await forward.dispose();
    rmSync(folder, { recursive: true });
    const at = Number(normed.data[0]);
    const lines: { kind: string }[] = [];
    const a = { place: CPU, model: near(-1e-6) };
    const b = { place: PLAIN, model: near(1e-6) };
    const result = await verify(a, b, { ...subject, rounds: [round] }, (line) => {
      lines.push(line);
    });
    expect(lines.find((l) => l.kind === 'kinks')).toEqual({
      kind: 'kinks',
      values: 1,
      operators: ['Relu'],
      texts: [0],
      of: examples,
    });
    expect(result.agree).toBe(true);
  });

  it('names an operator that TensorFlow.js lacks, with its node', async () => {
    const wrong = changed((g) => {
      const [y] = norm.outputs;
      g.sink.push({ ...norm, outputs: [g.fresh('raw'), ...norm.outputs.slice(1)] });
      const options = { outputs: [y], name: '/strange', domain: 'com.example' };
      g.op('Fused', [g.sink.at(-1)!.outputs[0]], {}, options);
    });
    const error = { kind: 'operator', message: expect.stringMatching(/com\.example\.Fused.*\/strange/) };
    await expect(other(wrong)).rejects.toMatchObject(error);
  });
});
