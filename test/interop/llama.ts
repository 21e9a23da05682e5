import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureLlamaCpp } from '../../scripts/lib/llama-cpp.mjs';

/** llama.cpp's packages are for this platform. */
export const onLlamaCpp = process.platform === 'linux' && process.arch === 'x64';

/** A GGUF file to run; see llama_side.mjs. */
export interface LlamaJob {
  path: string;
  /** A GGUF file with a LoRA. */
  lora?: string;
  /** Texts to tokenize, without special tokens around them. */
  texts?: readonly string[];
  /** Token ids. */
  prompts?: readonly (readonly number[])[];
  /** The number of tokens to write after each prompt, each the likeliest. */
  greedy?: number;
  /** In tokens. */
  contextSize?: number;
}

export interface LlamaResult {
  tokens: number[][];
  prompts: {
    /** After each token of the prompt, by token id. */
    probabilities: number[][];
    /** Each with the probabilities that it was chosen by. */
    written: { token: number; probabilities: number[] }[];
  }[];
  bos: number | null;
  eos: number | null;
  shouldPrependBosToken: boolean;
}

/** The results of llama.cpp for each job. */
export function inLlamaCpp(jobs: readonly LlamaJob[]): LlamaResult[] {
  const script = join(__dirname, 'llama_side.mjs');
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [script, ensureLlamaCpp()], {
    encoding: 'utf8',
    input: JSON.stringify(jobs),
    maxBuffer: 1 << 29,
  });
  if (status !== 0) throw new Error(`llama_side.mjs failed: ${stderr || String(error)}`);
  return JSON.parse(stdout) as LlamaResult[];
}
