import { basename, join } from 'node:path';
import { folderWeights } from '../architectures/load';
import { AuroraError } from '../base/errors';
import { isHeadAlone } from '../experiment/methods';
import { writeAtomic } from '../files/atomic';
import { DType } from '../graph/dtype';
import { KeptOnDisk } from '../graph/file/kept-on-disk';
import { encodeSafetensors, type FloatTensor, readSafetensors } from '../graph/file/safetensors';
import { INLINE_BYTES, saveChanged, saveModel } from '../graph/file/save';
import { pytorchPathOf } from '../graph/layers/linear';
import type { Model } from '../graph/model';
import { externalOf } from '../graph/onnx/tensor';
import { isRouted } from '../graph/routed';
import { isPeftLora, readByLoader, staticLoraConfig } from '../peft/adapter-config';
import { readAdapterFolder } from '../peft/adapter-folder';
import { baseModel, LICENSE_FILE } from '../peft/base-model';
import { adapterModules, fitAdapter } from '../peft/fit';
import { peftKey } from '../peft/keys';
import { writeFiles, writePeftAdapter } from '../peft/peft-adapter';
import type { ExportForm, GgufPrecision, RequantizedLayer, Written } from '../protocol/export';
import { HEAD_BIAS, HEAD_WEIGHT } from '../tasks/head';
import type { Trained } from '../training/checkpoint/trained-run';
import { type Measured, measureFile, measureTask } from '../training/measure';
import type { Task } from '../training/task/task';
import loader from './aurora_peft_loader.py';
import { BASE_NAMES, writeBaseFiles } from './base-files';
import { writeDiffusersLora } from './diffusers-lora';
import { adapterInputsModel, dynamicModel } from './dynamic';
import { ggufLora } from './gguf/lora-form';
import { ggufFile } from './gguf/model-form';
import { hubFolder } from './hub-form';
import { kohyaFile, requireKohyaLora, writeKohyaLora } from './kohya-lora';
import { logitsName } from './logits-head';
import { asLora, loraParts, noLora, requireRoom } from './lora-parts';
import { mergedModel } from './merged';
import { pipelineFolder } from './pipeline-form';
import { RECORD, sha256 } from './staged-folder';

export interface FormOptions {
  /** For `onnx-merged`: quantized weights are quantized again. */
  requantize: boolean;
  /** For `gguf`: the type of large tensors. */
  precision: GgufPrecision;
}

/** An export form: it writes its files and runs them from disk. */
export interface Form {
  /** Refuses a run that cannot be written in this form, before anything is computed. */
  check?(trained: Trained): void;
  /** @param work for temporary files */
  write(trained: Trained, folder: string, work: string, options: FormOptions): Written | void;
  /** @param work for temporary graphs */
  measure(trained: Trained, folder: string, work: string): Promise<Measured>;
}

const MODEL = 'model.onnx';
const VALUES = 'adapter.safetensors';

function requireAdapter(trained: Trained): void {
  requireModules(trained);
  requireRoom(trained.task.adapters);
}

/**
 * PEFT finds the modules of an adapter by their names, and an expert in a tensor of all experts has none.
 *
 * @throws AuroraError 'usage'
 */
function requireModules({ task: { adapters, source } }: Trained): void {
  if (source.kind !== 'hub' || !adapters.some(({ layer }) => layer.calls.some((c) => isRouted(c.node))))
    return;
  const { places } = folderWeights(source.file);
  for (const { layer } of adapters) {
    const whole = places.get(layer.weight.name)?.whole;
    if (whole)
      throw new AuroraError(
        'usage',
        `${layer.path} is a part of ${whole.name}, the tensor of all experts, and PEFT has no adapters in this layout on one of them.`,
        'Export with --as safetensors or onnx-merged.',
      );
  }
}

const adapter: Form = {
  check: requireAdapter,
  write({ task, parameters, form, totalSteps }, folder) {
    writePeftAdapter(folder, { ...task, steps: totalSteps }, parameters, task.data, form);
    if (readByLoader(task.spec.adapter)) writeAtomic(join(folder, 'aurora_peft_loader.py'), loader);
  },
  measure: measureAdapter,
};

const peftLora: Form = {
  check: requireAdapter,
  write({ task, parameters, form }, folder) {
    const { adapters, source } = task;
    const { adapter: settings } = task.spec;
    if (isHeadAlone(settings)) throw noLora('only a head');
    const lora = isPeftLora(settings) ? undefined : asLora(settings);
    const partsOf = loraParts(settings, parameters);
    if (source.kind === 'pipeline') return writeDiffusersLora(folder, adapters, partsOf);
    if (!lora) return writePeftAdapter(folder, task, parameters, task.data, form);
    const tensors = new Map<string, FloatTensor>();
    for (const a of adapters.filter(({ beside }) => beside !== 'tied'))
      for (const [part, tensor] of partsOf(a)) tensors.set(peftKey(pytorchPathOf(a.layer), part), tensor);
    writeFiles(folder, staticLoraConfig(task, lora), tensors, task, parameters, task.data);
  },
  measure: measureAdapter,
};

const kohya: Form = {
  check: requireKohyaLora,
  write: ({ task, parameters, run, step }, folder) =>
    writeKohyaLora(folder, task, parameters, { name: run.spec.name, step }),
  measure: (trained, folder, work) =>
    measureAdapter(trained, join(folder, kohyaFile(trained.run.spec.name)), work),
};

const onnxDynamic: Form = {
  write({ task, parameters }, folder) {
    saveModel(
      withMetadata(dynamicModel(task, parameters), task, 'onnx-dynamic'),
      join(folder, MODEL),
      inline(task),
    );
    writeBaseFiles(folder, task, baseModel(task.spec.model.path), true);
  },
  measure: measureModel,
};

const onnxMerged: Form = {
  check: ({ task }) => requireOtherNames(task),
  write({ task, parameters }, folder, work, { requantize }) {
    const requantized: RequantizedLayer[] = [];
    const kept = new KeptOnDisk(join(work, 'merged-weights'));
    try {
      const { model, changed } = mergedModel(task, parameters, {
        keep: (t) => kept.add(t),
        ...(requantize && { onRequantized: (layer) => void requantized.push(layer) }),
      });
      if (requantize && requantized.length === 0) throw nothingQuantized(task.spec.model.path);
      saveChanged(withMetadata(model, task, 'onnx-merged'), task.original, join(folder, MODEL), changed);
    } finally {
      kept.remove();
    }
    writeBaseFiles(folder, task, baseModel(task.spec.model.path), true);
    return { ...(requantize && { requantized }) };
  },
  measure: measureModel,
};

const onnxAdapterInputs: Form = {
  write({ task, parameters, labels }, folder) {
    const { model, values } = adapterInputsModel(task, parameters);
    const metadata = new Map([...model.metadata, ['aurora.form', 'onnx-adapter-inputs']]);
    saveModel({ ...model, metadata }, join(folder, MODEL), inline(task));
    const words = {
      'aurora.labels': JSON.stringify(labels),
      'aurora.model': sha256(join(folder, MODEL)),
    };
    writeAtomic(join(folder, VALUES), encodeSafetensors(values, words));
    writeBaseFiles(folder, task, baseModel(task.spec.model.path), false);
  },
  measure({ task }, folder) {
    const { tensors } = readSafetensors(join(folder, VALUES));
    const feeds = [...tensors].map(([name, t]) => [name, { dtype: DType.float, ...t }] as const);
    return measureFile(task, join(folder, MODEL), logitsName(task), Object.fromEntries(feeds));
  },
};

const nothingQuantized = (path: string): AuroraError =>
  new AuroraError(
    'usage',
    `--requantize: no adapted layer of ${path} has a quantized weight.`,
    'Export without it.',
  );

function folderForm({ task: { source } }: Trained): Form {
  switch (source.kind) {
    case 'onnx':
      throw noFolder(source.file);
    case 'hub':
      return hubFolder;
    case 'pipeline':
      return pipelineFolder(source);
  }
}

const noFolder = (path: string): AuroraError =>
  new AuroraError(
    'usage',
    `${path} is an ONNX file, and --as safetensors writes a folder from the Hugging Face hub with other weights.`,
    'Export with --as onnx-merged.',
  );

/** The model's own folder, or the pipeline's. */
const wholeFolder: Form = {
  check: (trained) => folderForm(trained).check?.(trained),
  write: (trained, ...rest) => folderForm(trained).write(trained, ...rest),
  measure: (trained, ...rest) => folderForm(trained).measure(trained, ...rest),
};

export const FORMS: Record<ExportForm, Form> = {
  adapter,
  'peft-lora': peftLora,
  kohya,
  'onnx-dynamic': onnxDynamic,
  'onnx-merged': onnxMerged,
  'onnx-adapter-inputs': onnxAdapterInputs,
  safetensors: wholeFolder,
  'gguf-lora': ggufLora,
  gguf: ggufFile,
};

/** The files, read back as an import would read them, on the base model. */
async function measureAdapter({ task }: Trained, folder: string, work: string): Promise<Measured> {
  if (isHeadAlone(task.spec.adapter)) return measureTask(task, readHead(task, folder), work);
  const { adapters, parameters } = fitAdapter(readAdapterFolder(folder), task.model.graph, task.layers, {
    keepsHead: !task.head,
  });
  const read: Task = { ...task, adapters, graph: { ...task.graph, adapters } };
  return measureTask(read, new Map([...parameters, ...readHead(task, folder)]), work);
}

function measureModel({ task }: Trained, folder: string): Promise<Measured> {
  return measureFile(task, join(folder, MODEL), logitsName(task));
}

function readHead(task: Task, folder: string): Map<string, Float32Array> {
  const { head } = adapterModules(readAdapterFolder(folder), !task.head);
  if (!head) return new Map();
  return new Map([
    [HEAD_WEIGHT, head.weight.data],
    [HEAD_BIAS, head.bias!.data],
  ]);
}

function withMetadata(model: Model, { data }: Task, form: ExportForm): Model {
  const more = [
    ['aurora.labels', JSON.stringify(data.labels)],
    ['aurora.form', form],
  ] as const;
  return { ...model, metadata: new Map([...model.metadata, ...more]) };
}

/** Files of an export; a base model's data file keeps its name, which must not be one of these. */
const OWN_NAMES = [MODEL, 'README.md', ...BASE_NAMES, RECORD];

function requireOtherNames({ original, spec }: Task): void {
  const locations = [...original.graph.initializers.values()].map((t) => externalOf.get(t)?.location ?? '');
  const taken = locations.find(
    (l) =>
      LICENSE_FILE.test(basename(l)) ||
      OWN_NAMES.some((name) => name.toLowerCase() === basename(l).toLowerCase()),
  );
  if (taken !== undefined)
    throw new AuroraError(
      'model',
      `${spec.model.path} stores weights in "${taken}", a file name that is reserved for the export.`,
      'Export with --as onnx-dynamic, or save the model with another name for its data file.',
    );
}

/** A base model with external weights keeps them external here too. */
const inline = ({ original }: Task): number =>
  [...original.graph.initializers.values()].some((t) => externalOf.has(t)) ? 0 : INLINE_BYTES;
