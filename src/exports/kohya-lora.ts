import { join } from 'node:path';
import { adapterScale } from '../adapters/methods/registry';
import { plainAdapter } from '../adapters/starts/plain-adapter';
import type { LayerAdapter } from '../adapters/targets/select';
import type { Pipeline } from '../architectures/model-source';
import { AuroraError } from '../base/errors';
import { isHeadAlone, methodName } from '../experiment/methods';
import { writeAtomic } from '../files/atomic';
import { encodeSafetensors, type FloatTensor } from '../graph/file/safetensors';
import { isPeftLora } from '../peft/adapter-config';
import { peftDims } from '../peft/convolution-dims';
import { KOHYA_ALPHA, KOHYA_DOWN, KOHYA_UP } from '../peft/kohya-lora-file';
import { blocksOf, kohyaName } from '../peft/kohya-names';
import { WEIGHTS_FILE } from '../peft/peft-adapter';
import type { Trained } from '../training/checkpoint/trained-run';
import type { Task } from '../training/task/task';
import { isVersion2, kohyaMetadata, type LoraSize } from './kohya-metadata';
import { asLora, loraParts, noLora, requireRoom } from './lora-parts';

const A = 'lora_A.weight';
const B = 'lora_B.weight';

/**
 * The name by which ComfyUI lists the file, and that a prompt of A1111 calls (`<lora:NAME:1>`). It is never that of PEFT's
 * weights, whose file is read as part of a folder.
 */
export function kohyaStem(experiment: string): string {
  const stem = experiment.replace(/[^\w.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '') || 'adapter';
  return `${stem}.safetensors` === WEIGHTS_FILE ? `${stem}-lora` : stem;
}

export const kohyaFile = (experiment: string): string => `${kohyaStem(experiment)}.safetensors`;

/** Refuses a run whose adapters the layout of kohya's scripts cannot hold, or has no names for. */
export function requireKohyaLora({ task }: Pick<Trained, 'task'>): void {
  const { source, adapters, spec } = task;
  const { adapter } = spec;
  if (source.kind !== 'pipeline')
    throw new AuroraError(
      'usage',
      `${source.file} is not a diffusers pipeline, and --as kohya writes a LoRA of Stable Diffusion for ComfyUI and A1111.`,
      'Export with --as peft-lora.',
    );
  if (isHeadAlone(adapter)) throw noLora('only a head');
  const saved = adapters.find((a) => a.beside);
  if (saved) throw noPlace(methodName(adapter), `${saved.layer.path} trained besides`);
  if (!isPeftLora(adapter)) asLora(adapter);
  else {
    const other = adapters
      .flatMap((a) => plainAdapter(a).tensors)
      .find(({ peftName }) => peftName !== A && peftName !== B);
    if (other) throw noPlace(methodName(adapter), other.peftName);
  }
  requireRoom(adapters);
  nameIn(source, task);
}

const noPlace = (method: string, tensor: string): AuroraError =>
  new AuroraError(
    'usage',
    `The run trained ${method} with ${tensor}, for which the layout of kohya’s scripts has no place that all programs read alike.`,
    'Export with --as safetensors or onnx-merged, or train a LoRA without it.',
  );

/**
 * The name of each adapted layer.
 *
 * @throws AuroraError 'usage' naming one that has none
 */
function nameIn({ isXl }: Pipeline, { layers, adapters }: Named): Map<string, string> {
  const blocks = blocksOf(layers.map((layer) => layer.path));
  return new Map(
    adapters.map(({ layer: { path } }) => {
      const name = kohyaName(path, isXl, blocks);
      if (name === undefined) throw noName(path, isXl && blocks === undefined);
      return [path, name];
    }),
  );
}

type Named = Pick<Task, 'layers' | 'adapters'>;

const noName = (path: string, areUneven: boolean): AuroraError =>
  areUneven
    ? new AuroraError(
        'usage',
        `The U-Net’s blocks differ in their number of layers, and kohya’s names of SDXL, such as that of ${path}, count with one number.`,
        'Export with --as peft-lora.',
      )
    : new AuroraError(
        'usage',
        `The run adapted ${path}, for which the layout of kohya’s scripts has no name that all programs read.`,
        'Export with --as peft-lora, or train without it (adapter.excludeModules).',
      );

/**
 * Writes a run's adapters as one LoRA in the layout of kohya's sd-scripts (networks/lora.py), which ComfyUI
 * (comfy/lora.py), A1111 (extensions-builtin/Lora) and diffusers (lora_conversion_utils.py) read: `NAME.lora_down.weight`
 * is A, `NAME.lora_up.weight` is B, and `NAME.alpha` / rank is the scale.
 *
 * @param of the experiment's name, and the run's step
 * @throws AuroraError 'usage' as `requireKohyaLora`
 */
export function writeKohyaLora(
  folder: string,
  task: Task,
  parameters: ReadonlyMap<string, Float32Array>,
  of: { name: string; step: number },
): void {
  requireKohyaLora({ task });
  const { adapters, spec } = task;
  const source = task.source as Pipeline;
  const names = nameIn(source, task);
  const partsOf = loraParts(spec.adapter as LayerAdapter['spec'], parameters);
  const tensors = new Map<string, FloatTensor>();
  const sizes: LoraSize[] = [];
  const put = (name: string, down: FloatTensor, up: FloatTensor, alpha: number) => {
    tensors.set(`${name}.${KOHYA_DOWN}`, down);
    tensors.set(`${name}.${KOHYA_UP}`, up);
    tensors.set(`${name}.${KOHYA_ALPHA}`, { dims: [], data: Float32Array.of(alpha) });
  };
  for (const adapter of adapters) {
    const parts = partsOf(adapter);
    const [down, up] = [parts.get(A)!, parts.get(B)!];
    const rank = up.dims[1];
    const alpha = adapterScale(adapter.spec) * rank;
    // A convolution of single pixels has matrices of PyTorch's convolutions, as in PEFT.
    const shaped = (part: string, { dims, data }: FloatTensor) => ({
      dims: peftDims(adapter.layer, part, dims),
      data,
    });
    put(names.get(adapter.layer.path)!, shaped(A, down), shaped(B, up), alpha);
    sizes.push({ rank, alpha });
  }
  for (const { path, inFeatures, outFeatures } of missingProjections(source, task)) {
    const name = kohyaName(path, source.isXl, undefined)!;
    const zeros = (...dims: number[]) => ({ dims, data: new Float32Array(Math.max(...dims)) });
    put(name, zeros(1, inFeatures), zeros(outFeatures, 1), 1);
  }
  const metadata = kohyaMetadata(task, { ...of, output: kohyaStem(of.name) }, sizes);
  writeAtomic(join(folder, kohyaFile(of.name)), encodeSafetensors(tensors, metadata), folder);
}

const PROJECTION = /^(.+\.self_attn)\.[qkv]_proj$|^(.+\.self_attn)\.out_proj$/;

/**
 * Projections of OpenCLIP's attentions that were not adapted beside others that were: OpenCLIP has the first three in one
 * weight, and A1111 changes an attention only where a file has all four (networks.py). They are written as zeros.
 */
function missingProjections({ isXl }: Pipeline, { layers, adapters }: Named): Task['layers'] {
  const openClip = isXl ? 'text_encoder_2.' : isVersion2(layers) ? 'text_encoder.' : undefined;
  if (openClip === undefined) return [];
  const adapted = new Set(adapters.map(({ layer }) => layer.path));
  const attention = (path: string) => PROJECTION.exec(path)?.slice(1).find(Boolean);
  const begun = new Set(
    [...adapted].filter((path) => path.startsWith(openClip)).flatMap((path) => attention(path) ?? []),
  );
  return layers.filter(({ path }) => !adapted.has(path) && begun.has(attention(path) ?? ''));
}
