import { join } from 'node:path';
import { folderWeights, loadModelFrom } from '../../architectures/load';
import { modelSource } from '../../architectures/model-source';
import { AuroraError } from '../../base/errors';
import { prepareModel } from '../../graph/prepare';
import { baseModel } from '../../peft/base-model';
import { classOfLinearHead } from '../../peft/config';
import type { Task } from '../../training/task/task';
import type { Form } from '../forms';
import { measureTask } from '../../training/measure/measure';
import { ChangedWeights } from './changed-weights';
import { writeHubFiles } from './files';
import { requireUnquantized } from './require-unquantized';
import { HEAD_FILE, headTensors, readHead, writeHead } from './head';
import { isLabelHead, writeWeights } from './weights';

/** A folder from the hub with W₀ + ΔW for W₀, as transformers loads it. */
export const hubFolder: Form = {
  write({ task, parameters }, folder) {
    const { spec, source, head } = task;
    requireUnquantized(spec);
    const weights = folderWeights(source.file);
    const changed = new ChangedWeights(task, parameters, weights.places);
    const base = baseModel(spec.model.path);
    const headClass = classOfLinearHead(base.config, spec);
    if (spec.task.headWeights === 'model' && !headClass) throw noClass(base.config, spec.model.path);
    const withoutHead = head !== undefined;
    const inModel = headClass && {
      tensors: headTensors(task, parameters, headClass),
      prefix: weights.taskPrefix,
    };
    const isReplaced = (name: string) =>
      spec.task.headWeights === 'model' && headClass
        ? name.startsWith(`${headClass.module}.`)
        : withoutHead && isLabelHead(name);
    writeWeights(folder, weights, changed, isReplaced, inModel);
    if (head && !headClass) writeHead(folder, task, parameters);
    writeHubFiles(folder, task, base, {
      withoutHead,
      headClass,
    });
    const { rounding } = changed;
    return {
      rounding,
      ...(head && { head: headClass?.name ?? HEAD_FILE }),
    };
  },

  measure({ task }, folder, work) {
    const headClass = classOfLinearHead(baseModel(task.spec.model.path).config, task.spec);
    const model = prepareModel(loadModelFrom(modelSource(folder), 'float32', join(work, 'weights')));
    const read: Task = { ...task, model, adapters: [], graph: { ...task.graph, adapters: [] } };
    return measureTask(read, readHead(folder, task, headClass?.module), work);
  },
};

const noClass = ({ architectures }: Record<string, unknown>, path: string): AuroraError =>
  new AuroraError(
    'model',
    `The head that was trained further is that of ${String(architectures)} in ${path}, and this class of transformers does not compute the same: it has no bias, or is for another task.`,
    'Export with --as onnx-merged.',
  );
