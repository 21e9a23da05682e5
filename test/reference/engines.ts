import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selectAdapters } from '../../src/adapters/select';
import {
  adapterSpec,
  readReference,
  type DenseArray,
  type ReferenceCase,
} from '../../src/cli/reference/case';
import type { HostTensors } from '../../src/engine/engine';
import { probe } from '../../src/engine/onnxruntime/probe';
import { OBJECTIVES } from '../../src/engine/objective';
import { findOutput, LABELS } from '../../src/engine/program';
import { findLinearLayers } from '../../src/graph/linear';
import { loadModel } from '../../src/graph/load';
import type { Model } from '../../src/graph/model';
import { prepareModel } from '../../src/graph/prepare';
import { tensorOf, tensorValues } from '../../src/graph/values';
import { perturbed } from '../../src/trainer/verify/perturb';
import { verifySides, type Side, type Subject, type VerifyOptions } from '../../src/trainer/verify/sides';
import { fixture } from './files';

const host = ({ dims, data }: DenseArray, dtype: number) => ({
  dtype,
  dims,
  data: tensorValues(tensorOf('', dtype, dims, data)),
});

/** A reference file's task, at its own values and at perturbed ones. */
export async function subjectOf(name: string): Promise<{ model: Model; subject: Subject }> {
  const file = readReference(fixture(name));
  if (file.kind !== 'model') throw new Error(`${name} has no model.`);
  const c: ReferenceCase = file.case;
  const model = prepareModel(loadModel(file.modelPath));
  const examples = [c, ...c.otherShapes].map((f) =>
    Object.fromEntries(Object.entries(f.inputs).map(([input, a]) => [input, a.dims])),
  );
  const infos = await probe(model, undefined, examples);
  const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), adapterSpec(c));
  const head = c.head ? { ...c.head, classes: c.trainable[c.head.weight].dims[0] } : undefined;
  const inputs: HostTensors = { [LABELS]: host(c.labels, OBJECTIVES[c.objective].labels.dtype) };
  for (const i of model.graph.inputs) if (c.inputs[i.name]) inputs[i.name] = host(c.inputs[i.name], i.dtype);
  const parameters = new Map(Object.entries(c.trainable).map(([n, a]) => [n, Float32Array.from(a.data)]));
  const output = findOutput(model, undefined, head !== undefined);
  return {
    model,
    subject: {
      infos,
      spec: { objective: c.objective, head, output, adapters },
      inputs,
      rounds: [
        { values: 'initial', parameters },
        { values: 'perturbed', parameters: perturbed(parameters, 5) },
      ],
    },
  };
}

export async function verify(
  a: Side,
  b: Side,
  subject: Subject,
  emit: VerifyOptions['emit'] = () => undefined,
) {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-agree-'));
  try {
    return await verifySides([a, b], subject, { folder, emit });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
