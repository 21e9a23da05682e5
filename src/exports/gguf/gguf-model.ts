import type { DecoderFacts } from '../../architectures/blocks/decoder';
import { decoderFacts } from '../../architectures/decoder-facts';
import { AuroraError } from '../../base/errors';
import type { Task } from '../../training/task/task';
import { GGUF_FAMILIES, type GgufFamily } from './families';

/** A run's model, as llama.cpp knows it. */
export interface GgufModel {
  family: GgufFamily;
  facts: DecoderFacts;
}

/** Hints for what GGUF files cannot hold: the nearest form that can. */
const NEAREST = {
  gguf: 'Export with --as safetensors or onnx-merged.',
  'gguf-lora': 'Export with --as peft-lora.',
} as const;

/** The forms that are GGUF files. */
export type GgufForm = keyof typeof NEAREST;

/**
 * The model of a run that trained a language model of a family that llama.cpp has.
 *
 * @throws AuroraError 'usage' or 'model' for another one
 */
export function ggufModel({ source, spec, head }: Task, form: GgufForm): GgufModel {
  if (source.kind !== 'hub')
    throw new AuroraError(
      'usage',
      `${source.file} is ${source.kind === 'onnx' ? 'an ONNX file' : 'a pipeline'}, and --as ${form} is for a language model that is a folder from the Hugging Face hub.`,
      source.kind === 'onnx' && form === 'gguf' ? 'Export with --as onnx-merged.' : NEAREST[form],
    );
  if (head)
    throw new AuroraError(
      'usage',
      `The run trained a head for ${spec.task.type}, which a GGUF file has no place for: --as ${form} is for language models.`,
      NEAREST[form],
    );
  const found = decoderFacts(source.file);
  const family = found && GGUF_FAMILIES.get(found.type);
  if (found && family) return { family, facts: found.facts };
  throw new AuroraError(
    'model',
    `${source.file} is not of a family that --as ${form} writes: ${[...GGUF_FAMILIES.keys()].join(', ')}.`,
    form === 'gguf'
      ? 'Export with --as safetensors, and convert that with convert_hf_to_gguf.py of llama.cpp.'
      : 'Export with --as peft-lora, and convert that with convert_lora_to_gguf.py of llama.cpp.',
  );
}

/** @throws AuroraError 'model' if llama.cpp's graph for the family computes something else than the model */
export function requireSameGraph({ family, facts }: GgufModel): void {
  const { rope, config } = facts;
  const problem =
    family.problem(facts) ??
    (rope && !family.ropes.includes(rope.type)
      ? `its rotary embeddings are scaled by ${rope.type}`
      : undefined) ??
    yarnProblem(facts);
  if (problem === undefined) return;
  throw new AuroraError(
    'model',
    `llama.cpp computes another model than that of ${config.path}: ${problem}.`,
    NEAREST.gguf,
  );
}

/** llama.cpp has only the usual factor of attention, and whole features between which it interpolates. */
function yarnProblem({ rope }: DecoderFacts): string | undefined {
  if (rope?.type !== 'yarn') return undefined;
  const { settings, factor } = rope;
  const usual = 0.1 * Math.log(settings!.number('factor', 1)) + 1;
  if (!settings!.has('factor')) return 'its yarn scaling has no factor';
  if (Math.abs(factor - usual) > 1e-6) return `the attention factor of its yarn scaling is ${factor}`;
  return settings!.flag('truncate', true) ? undefined : 'its yarn scaling has truncate false';
}
