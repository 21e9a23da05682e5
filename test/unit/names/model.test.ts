import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { budgetOf } from '../../../src/adapters/budget/budget';
import { injectAdapters } from '../../../src/adapters/inject';
import { likelyTargets, selectAdapters } from '../../../src/adapters/targets/select';
import { mergeAdapters } from '../../../src/adapters/merge';
import { fromPattern, matchTargets } from '../../../src/adapters/targets/targets';
import { deviceFeeds, deviceGraph } from '../../../src/engine/onnxruntime/device-graph';
import { probe } from '../../../src/engine/onnxruntime/probe';
import { operatorsOf } from '../../../src/engine/tfjs/operator-registry';
import { ruleFor } from '../../../src/graph/autodiff/rule-registry';
import { Declared } from '../../../src/graph/declared';
import { DType } from '../../../src/graph/dtype';
import { forOpset } from '../../../src/graph/file/downgrade';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { loadModel } from '../../../src/graph/file/load';
import type { Model } from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { prepareModel } from '../../../src/graph/prepare';
import { summarize } from '../../../src/graph/summary';
import { nameTable } from '../../../src/base/names';
import { input, model, host, node, runModel } from '../graph/onnx-models';
import { tensorOf } from '../../../src/graph/values';
import { temporaryFolders } from '../runs/folder';
import { loraSpec } from '../specs';
import { interpret } from '../tfjs/interpret';
import { eachHandled, handled, HOSTILE, name } from './names';

const makeFolder = temporaryFolders();
/** Distinct names for the tensors of a graph. */
const tensors = fc.uniqueArray(fc.constantFrom(...HOSTILE, 'x'), { minLength: 4, maxLength: 4 });

/** y = relu(x · W) under the module of the given path. */
function linear([x, w, h, y]: string[], module: string, op = 'Relu'): Model {
  return model({
    opset: 17,
    inputs: [input(x, DType.float, ['batch', 3])],
    nodes: [
      { ...node('MatMul', [x, w], [h]), name: `/${module.replaceAll('.', '/')}/MatMul` },
      node(op, [h], [y], { [op === 'Relu' ? 'constructor' : 'axis']: op === 'Relu' ? undefined : 1 }),
    ],
    outputs: [y],
    initializers: [tensorOf(w, DType.float, [3, 2], [1, 2, 3, 4, 5, 6])],
  });
}

const reload = (made: Model): Model => {
  const path = join(makeFolder(), 'm.onnx');
  writeFileSync(path, encodeModel(made));
  return loadModel(path);
};

describe('names of inherited members in models', () => {
  it('are handled as tensors and modules when reading, adapting, merging and running', async () => {
    const batch = host([1, 3], [1, -2, 1]);
    await eachHandled(
      'model',
      fc.tuple(tensors, fc.array(name, { minLength: 1, maxLength: 3 })),
      async ([names, parts]) => {
        const module = parts.join('.');
        const read = reload(linear(names, module));
        const [x, , , y] = names;
        const summary = summarize(read);
        expect(summary.layers.map((l) => l.path)).toEqual([module]);
        const prepared = prepareModel(read);
        const layers = findLinearLayers(prepared.graph);
        for (const part of parts) matchTargets([module], { targetModules: [part] });
        fromPattern(module, nameTable(parts.map((part) => [part, 2] as const)), 1, 'rankPattern');
        likelyTargets(summary.layers);
        const spec = loraSpec({ rank: 1, targetModules: [parts.at(-1)!] });
        budgetOf(summary.layers, spec, { tokens: 8 });
        const { adapters } = selectAdapters(prepared.graph, layers, spec);
        expect(adapters).toHaveLength(1);
        const { graph } = injectAdapters(prepared.graph, adapters, DType.float);
        expect(graph.nodes.length).toBeGreaterThan(2);
        const values = new Map(
          adapters.flatMap((a) =>
            a.tensors.map((t) => [
              `${a.layer.path}.${t.name}`,
              new Float32Array(t.dims.reduce((p, d) => p * d, 1)),
            ]),
          ),
        );
        const merged = mergeAdapters(prepared, adapters, values);
        const feeds = nameTable([[x, batch]]);
        for (const made of [prepared, merged]) {
          await probe(made);
          const out = await runModel(made, deviceFeeds(made, feeds));
          expect([...(out[y].data as Float32Array)]).toEqual([0, 0]);
          const again = await interpret(made.graph, feeds);
          expect([...(again[y].data as Float32Array)]).toEqual([0, 0]);
        }
      },
      25,
    );
  });

  it("are rejected with the file's name only for a tensor called __proto__", () => {
    expect(() => reload(linear(['x', 'w', '__proto__', 'y'], 'a'))).toThrow(
      /m\.onnx has a tensor named __proto__/,
    );
    expect(() => reload(linear(['constructor', 'w', 'toString', 'y'], '__proto__'))).not.toThrow();
  });

  it('are handled as unknown operators, domains and attributes', () =>
    eachHandled('operator', fc.tuple(name, fc.constantFrom('', ...HOSTILE)), async ([op, domain]) => {
      const made = linear(['x', 'w', 'h', 'y'], 'a', op);
      made.graph.nodes[1].domain = domain;
      if (domain) made.opsets.set(domain, 1);
      const read = reload(made);
      const [, odd] = read.graph.nodes;
      expect(ruleFor(odd)).toBeUndefined();
      expect(forOpset([odd], read.graph, 9)).toEqual([odd]);
      expect(summarize(read).missingRules.map((m) => m.operator)).toEqual([domain ? `${domain}.${op}` : op]);
      new Declared(read.graph).follow(odd);
      await handled('webgpu', () => deviceGraph(prepareModel(read), 'webgpu'));
      await handled('tfjs', () => operatorsOf(read.graph.nodes));
      expect(() => operatorsOf(read.graph.nodes)).toThrow('does not support the operator ');
    }));
});
