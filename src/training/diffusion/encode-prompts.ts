import type { PromptTokenizer } from '../../data/text/prompt-tokenizer';
import { DType } from '../../graph/dtype';
import type { HostTensor } from '../../graph/tensor-infos';
import type { Model } from '../../graph/model';
import { modelInputs } from '../../tasks/task-data';
import { openComponent, type Component } from './component';
import {
  isStopped,
  type EncodeOptions,
  type PromptEmbedding,
  keyOf,
  modelHashes,
  type Kept,
} from './encoded';

/** A text encoder of a pipeline. */
export interface TextEncoder extends Component {
  tokenizer: PromptTokenizer;
}

/** The output with the projected prompt, of CLIPTextModelWithProjection. */
const POOLED = 'text_embeds';
const LAST = 'last_hidden_state';
const LAYER = /^hidden_states\.(\d+)$/;

/** The name of the tensor in the kept files. */
const HIDDEN = 'hidden';

/** The outputs of an encoder that a U-Net reads: SDXL's those of the last layer but one. */
function outputsOf(model: Model, isXl: boolean): { hidden: string; pooled?: string } {
  const names = model.graph.outputs.map((o) => o.name);
  if (!isXl) return { hidden: LAST };
  const layers = names.filter((name) => LAYER.test(name)).length;
  return { hidden: `hidden_states.${layers - 2}`, ...(names.includes(POOLED) && { pooled: POOLED }) };
}

/**
 * Encodes the prompts that are not kept yet, one encoder after the other.
 *
 * @param encoders the only one, or both of SDXL, whose hidden states are joined
 * @returns a reader of each prompt's embedding; undefined if it was stopped
 */
export async function encodePrompts(
  encoders: readonly TextEncoder[],
  isXl: boolean,
  prompts: readonly string[],
  kept: Kept,
  options: EncodeOptions,
  done: () => void,
): Promise<((prompt: string) => PromptEmbedding) | undefined> {
  const texts = [...new Set(prompts)];
  const keys: Map<string, string>[] = [];
  for (const encoder of encoders) {
    const keysOfThis = await encodeWith(encoder, isXl, texts, kept, options, done);
    if (!keysOfThis) return undefined;
    keys.push(keysOfThis);
  }
  return (prompt) => joined(keys.map((of) => readEmbedding(kept, of.get(prompt))));
}

async function encodeWith(
  encoder: TextEncoder,
  isXl: boolean,
  texts: readonly string[],
  kept: Kept,
  options: EncodeOptions,
  done: () => void,
): Promise<Map<string, string> | undefined> {
  const model = encoder.load();
  const files = await modelHashes(model, encoder.path);
  const { hidden, pooled } = outputsOf(model, isXl);
  const ids = new Map(texts.map((text) => [text, encoder.tokenizer.encode(text).ids]));
  const keys = new Map(
    texts.map((text) => [text, keyOf({ files, hidden, pooled, ids: [...ids.get(text)!] })]),
  );
  const missing = texts.filter((text) => !kept.read(keys.get(text)!));
  for (let i = texts.length - missing.length; i > 0; i--) done();
  if (missing.length === 0) return keys;
  const session = await openComponent(model, encoder.path, pooled ? [hidden, pooled] : [hidden], options);
  const [input] = modelInputs(model);
  try {
    for (const text of missing) {
      if (await isStopped(options)) return undefined;
      const out = await session.run({ [input!.name]: idTensor(ids.get(text)!, input!.dtype) });
      const tensors = new Map([[HIDDEN, row(out[hidden]!)]]);
      if (pooled) tensors.set(POOLED, row(out[pooled]!));
      kept.write(keys.get(text)!, tensors);
      done();
    }
  } finally {
    await session.close();
  }
  return keys;
}

const idTensor = (ids: Int32Array, dtype: number): HostTensor => ({
  dtype,
  dims: [1, ids.length],
  data: dtype === DType.int32 ? ids : BigInt64Array.from(ids, BigInt),
});

/** The only row of a batch. */
const row = ({ dims, data }: HostTensor) => ({ dims: dims.slice(1), data: data as Float32Array });

function readEmbedding(kept: Kept, key: string | undefined): PromptEmbedding {
  const tensors = key === undefined ? undefined : kept.read(key)?.tensors;
  const hidden = tensors?.get(HIDDEN);
  if (!hidden) throw new Error('a prompt was not encoded, or its file has been removed');
  const [tokens, width] = hidden.dims as [number, number];
  const pooled = tensors!.get(POOLED)?.data;
  return { hidden: hidden.data, tokens, width, pooled };
}

/** Hidden states of several encoders side by side; pooled is the last encoder's. */
function joined(parts: readonly PromptEmbedding[]): PromptEmbedding {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const { tokens } = first!;
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  const hidden = new Float32Array(tokens * width);
  let start = 0;
  for (const part of parts) {
    for (let t = 0; t < tokens; t++)
      hidden.set(part.hidden.subarray(t * part.width, (t + 1) * part.width), t * width + start);
    start += part.width;
  }
  const { pooled } = parts.at(-1)!;
  return { hidden, tokens, width, pooled };
}
