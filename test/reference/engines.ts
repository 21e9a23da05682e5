import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { caseFeeds, caseParameters, caseTask, shapesOf } from '../../src/cli/commands/reference/model-case';
import { probe } from '../../src/engine/onnxruntime/probe';
import { loadModel } from '../../src/graph/file/load';
import type { Model } from '../../src/graph/model';
import { prepareModel } from '../../src/graph/prepare';
import { perturbed } from '../../src/training/task/initialize';
import { verifySides, type Side, type Subject, type VerifyOptions } from '../../src/checks/verify/sides';
import { modelFile } from './files';

/** A reference file's task with its own values and with perturbed ones. */
export async function subjectOf(name: string): Promise<{ model: Model; subject: Subject }> {
  const { modelPath, case: c } = modelFile(name);
  const model = prepareModel(loadModel(modelPath));
  const infos = await probe(
    model,
    undefined,
    [c, ...c.otherShapes].map((f) => shapesOf(f.inputs)),
  );
  const parameters = caseParameters(c);
  return {
    model,
    subject: {
      infos,
      spec: caseTask(model, c),
      inputs: caseFeeds(model, c, c),
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
