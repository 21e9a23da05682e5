import { mkdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { mergeAdapters } from '../../src/adapters/merge';
import { loadTokenizer } from '../../src/data/text/tokenizer';
import { openSession } from '../../src/engine/onnxruntime/session';
import { ADAPTER_FILE, MODEL_FILE } from '../../src/exports/gguf/file-names';
import { ggufLora } from '../../src/exports/gguf/lora-form';
import { ggufFile } from '../../src/exports/gguf/model-form';
import { DType } from '../../src/graph/dtype';
import { saveModel } from '../../src/graph/file/save';
import type { Model } from '../../src/graph/model';
import type { GgufPrecision } from '../../src/protocol/export';
import { loadExperiment } from '../../src/runs/experiment/load';
import type { Trained } from '../../src/training/checkpoint/trained-run';
import { adaptModel } from '../../src/training/task/adapted-model';
import { initialAdapters } from '../../src/training/task/initialize';
import { Lab } from '../cli/lab';
import type { TokenizerJson } from '../tokenizers/formats';
import { gpt2, llama3 } from '../tokenizers/published';
import {
  BYTE_LEVEL_KINDS,
  byteLevelTokenizer,
  SENTENCE_PIECE_KINDS,
  sentencePieceTokenizer,
  tokenCount,
} from '../tokenizers/small';
import { CORPUS, SCRIPTS } from '../tokenizers/texts';
import { CONFIGS, numbers, writeModel } from '../hub-models';
import { inLlamaCpp, type LlamaResult, onLlamaCpp } from './llama';

const lab = new Lab();
afterAll(() => lab.remove());

const LANGUAGE = 'task={"type":"causal-language-modeling","head":"none"}';

type Json = Record<string, unknown>;

const BYTE_LEVEL_TOKENS = { bos_token: '<|begin|>', eos_token: '<|end|>' };
const SENTENCE_PIECE_TOKENS = { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>' };

interface Subject {
  tokenizer: [json: TokenizerJson, names: Json];
  targets: string[];
  /** Settings beside those of the family's config. */
  settings?: Json;
}

const PHI3: Subject = {
  tokenizer: [sentencePieceTokenizer('llama'), SENTENCE_PIECE_TOKENS],
  targets: ['qkv_proj', 'gate_up_proj', 'o_proj'],
};

/** Phi-3 with factors for texts that are longer than it was first trained on. */
const longPhi3 = (original: number): Subject => ({
  ...PHI3,
  settings: {
    sliding_window: null,
    max_position_embeddings: 512,
    original_max_position_embeddings: original,
    rope_scaling: {
      type: 'longrope',
      short_factor: [1, 1, 1.1, 1.2, 1.3, 1.5, 1.7, 2],
      long_factor: [1.5, 2, 3, 4, 6, 8, 12, 16],
    },
  },
});

/** Each family with a tokenizer of its kind; its settings in transformers; and the layers that are adapted. */
const FAMILIES: Record<string, Subject> = {
  llama: {
    tokenizer: [byteLevelTokenizer('llama-bpe', true), BYTE_LEVEL_TOKENS],
    targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'down_proj', 'lm_head'],
  },
  mistral: {
    tokenizer: [sentencePieceTokenizer('llama'), SENTENCE_PIECE_TOKENS],
    targets: ['q_proj', 'k_proj', 'up_proj'],
  },
  qwen2: {
    tokenizer: [byteLevelTokenizer('qwen2', false), { eos_token: '<|end|>' }],
    targets: ['q_proj', 'k_proj', 'gate_proj'],
  },
  qwen3: {
    tokenizer: [byteLevelTokenizer('qwen2', false), { eos_token: '<|end|>' }],
    targets: ['q_proj', 'k_proj', 'v_proj'],
  },
  gemma2: {
    tokenizer: [sentencePieceTokenizer('gemma'), SENTENCE_PIECE_TOKENS],
    targets: ['q_proj', 'v_proj', 'down_proj'],
  },
  gemma3_text: {
    tokenizer: [sentencePieceTokenizer('gemma'), SENTENCE_PIECE_TOKENS],
    targets: ['q_proj', 'k_proj', 'o_proj'],
  },
  phi3: PHI3,
  // llama.cpp's context, which it rounds up to 256 tokens, is the original one, or longer.
  'phi3, short factors': longPhi3(256),
  'phi3, long factors': longPhi3(16),
  gpt2: {
    tokenizer: [byteLevelTokenizer('gpt-2', false), BYTE_LEVEL_TOKENS],
    targets: ['c_attn', 'c_fc', 'c_proj'],
  },
};

/** A model with an adapter whose B is not zero, and its exports. */
function subject(family: string, bfloat16 = false) {
  const { tokenizer, targets, settings } = FAMILIES[family];
  const [json, names] = tokenizer;
  const folder = lab.fresh(family);
  // More rows than tokens, as many models have.
  const config = { ...CONFIGS[family.split(',')[0]], ...settings, vocab_size: tokenCount(json) + 5 };
  writeModel(folder, config as never, json, names, bfloat16);
  const adapter = {
    method: 'lora',
    rank: 2,
    alpha: 6,
    targetModules: targets,
    rankPattern: { [targets[0]]: 3 },
  };
  const spec = loadExperiment(lab.experiment, [
    `model.path=${folder}`,
    'model.maxLength=16',
    LANGUAGE,
    `adapter=${JSON.stringify(adapter)}`,
  ]);
  const found = adaptModel(spec);
  const next = numbers(11);
  const parameters = new Map(
    [...initialAdapters(found.adapters, 1)].map(([name, values]) => [name, values.map(() => 0.2 * next())]),
  );
  const trained = { task: { ...found, spec }, parameters } as unknown as Trained;
  const none = { ...trained, task: { ...trained.task, adapters: [] } };
  const write = (name: string, of: Trained, precision: GgufPrecision) => {
    const to = lab.fresh(`${family}-${name}`);
    mkdirSync(to);
    ggufFile.check!(of);
    ggufFile.write(of, to, lab.path('work'), { requantize: false, precision });
    return `${to}/${MODEL_FILE}`;
  };
  const lora = () => {
    const to = lab.fresh(`${family}-lora`);
    mkdirSync(to);
    ggufLora.check!(trained);
    ggufLora.write(trained, to, lab.path('work'), { requantize: false, precision: 'float32' });
    return `${to}/${ADAPTER_FILE}`;
  };
  return { folder, trained, none, found, parameters, write, lora, tokens: tokenCount(json) };
}

/** The probabilities of the next token after each token of a text, in ONNX Runtime. */
async function probabilitiesOf(model: Model): Promise<(tokens: readonly number[]) => Promise<number[][]>> {
  const path = `${lab.fresh('reference')}.onnx`;
  saveModel(model, path);
  const session = await openSession(path);
  return async (tokens) => {
    const tensor = (values: readonly number[]) => ({
      dtype: DType.int64,
      dims: [1, values.length],
      data: BigInt64Array.from(values, BigInt),
    });
    const feeds = { input_ids: tensor(tokens), attention_mask: tensor(tokens.map(() => 1)) };
    const { logits } = await session.run(feeds, ['logits']);
    const size = logits.dims[2];
    const all = logits.data as Float32Array;
    return tokens.map((_, i) => softmax(all.subarray(i * size, (i + 1) * size)));
  };
}

function softmax(logits: Float32Array): number[] {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const powers = Array.from(logits, (v) => Math.exp(v - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((p) => p / sum);
}

/** The tokens that are written in the tests: longer than the windows, and than the original length of scaled positions. */
const GREEDY = 64;

/** Differences of a probability. llama.cpp reads the GELU of Gemma and GPT-2 from a table in float16. */
const toleranceOf = (family: string): number => (/^(gemma|gpt2)/.test(family) ? 4e-3 : 2e-5);

const apart = (a: readonly number[], b: readonly number[]): number =>
  b.reduce((most, p, i) => Math.max(most, Math.abs(p - (a[i] ?? 0))), 0);

/** The largest difference of llama.cpp's probabilities from the model's own, and how far its greedy tokens are from the likeliest. */
async function differences(
  { prompts: results }: LlamaResult,
  prompts: readonly (readonly number[])[],
  own: (tokens: readonly number[]) => Promise<number[][]>,
): Promise<{ probability: number; behind: number }> {
  let [probability, behind] = [0, 0];
  for (const [i, prompt] of prompts.entries()) {
    const { probabilities, written } = results[i];
    expect(written).toHaveLength(GREEDY);
    const whole = [...prompt, ...written.map(({ token }) => token)];
    const wanted = await own(whole.slice(0, -1));
    const found = [...probabilities, ...written.slice(1).map((step) => step.probabilities)];
    expect(found).toHaveLength(wanted.length);
    wanted.forEach((all, at) => (probability = Math.max(probability, apart(found[at], all))));
    for (const [n, { token }] of written.entries()) {
      const all = wanted[prompt.length - 1 + n];
      behind = Math.max(behind, Math.max(...all) - all[token]);
    }
  }
  return { probability, behind };
}

describe.runIf(onLlamaCpp)('GGUF files in llama.cpp', () => {
  it.each(Object.keys(FAMILIES))(
    '%s: tokens, probabilities and greedy texts are those of the model',
    async (family) => {
      const { folder, trained, none, found, parameters, write, lora, tokens } = subject(family);
      const [base, merged, adapter] = [
        write('base', none, 'float32'),
        write('merged', trained, 'float32'),
        lora(),
      ];
      const tokenizer = loadTokenizer(`${folder}/tokenizer.json`);
      const next = numbers(3);
      const random = Array.from({ length: 24 }, () => Math.floor(((next() + 1) / 2) * tokens));
      const prompts = [tokenizer.encode('All human beings are born free.', 64).ids, random];
      const texts = [
        'All human beings are born free.',
        'It’s 3.14 in 2024!\n\n  Ωμέγα and 人人生而自由',
        ' two  spaces ',
      ];
      const jobs = [
        { path: base, texts, prompts, greedy: GREEDY },
        { path: merged, prompts, greedy: GREEDY },
        { path: base, lora: adapter, prompts, greedy: GREEDY },
      ];
      const [alone, whole, beside] = inLlamaCpp(jobs);
      expect(alone.tokens).toEqual(texts.map((text) => tokenizer.encodeBare(text)));
      expect(alone.shouldPrependBosToken).toBe(tokenizer.special(64).before.length > 0);
      const tolerance = toleranceOf(family);
      const own = await probabilitiesOf(found.model);
      const adapted = await probabilitiesOf(mergeAdapters(found.model, found.adapters, parameters));
      // The adapter makes a difference, far above the tolerance.
      expect(apart((await own(random)).at(-1)!, (await adapted(random)).at(-1)!)).toBeGreaterThan(0.02);
      for (const [result, reference] of [
        [alone, own],
        [whole, adapted],
        [beside, adapted],
      ] as const) {
        const { probability, behind } = await differences(result, prompts, reference);
        expect(probability).toBeLessThan(tolerance);
        // Another token than the likeliest may be written only if the two are that close.
        expect(behind).toBeLessThan(tolerance);
      }
    },
  );

  it('in 16 and in 8 bits load, and are near the model', async () => {
    for (const family of ['llama', 'gemma2', 'gpt2']) {
      const { trained, found, parameters, write } = subject(family, family === 'llama');
      const adapted = await probabilitiesOf(mergeAdapters(found.model, found.adapters, parameters));
      const prompts = [[5, 8, 13, 21, 34, 55]];
      const jobs = (['float16', 'q8_0'] as const).map((precision) => ({
        path: write(precision, trained, precision),
        prompts,
      }));
      const wanted = (await adapted(prompts[0])).at(-1)!;
      const [half, eight] = inLlamaCpp(jobs).map((r) => apart(r.prompts[0].probabilities.at(-1)!, wanted));
      expect(half).toBeLessThan(5e-3);
      expect(eight).toBeLessThan(5e-2);
    }
  });

  it('divide texts in many scripts as the tokenizers do', () => {
    const published = [
      [gpt2(), { eos_token: '<|endoftext|>' }],
      [llama3(), { bos_token: '<|begin_of_text|>', eos_token: '<|end_of_text|>' }],
    ] as const;
    const learned = [
      ...BYTE_LEVEL_KINDS.map((kind) => [byteLevelTokenizer(kind, false), BYTE_LEVEL_TOKENS] as const),
      ...SENTENCE_PIECE_KINDS.map((kind) => [sentencePieceTokenizer(kind), SENTENCE_PIECE_TOKENS] as const),
    ];
    const texts = [
      ...SCRIPTS.map(({ article }) => article),
      ...CORPUS.filter((_, i) => i % 50 === 0),
      "I'LL don't 'ee  x\n\n y\t1234567 3.5",
    ];
    const jobs = [...published, ...learned].map(([json, names]) => {
      const folder = lab.fresh('tokens');
      const config = { ...CONFIGS.qwen2, hidden_size: 32, vocab_size: tokenCount(json) };
      writeModel(folder, config as never, json, names);
      const spec = loadExperiment(lab.experiment, [
        `model.path=${folder}`,
        LANGUAGE,
        'adapter={"method":"lora","rank":1,"alpha":1,"targetModules":["q_proj"]}',
      ]);
      const to = lab.fresh('tokens-gguf');
      mkdirSync(to);
      const trained = { task: { ...adaptModel(spec), spec, adapters: [] }, parameters: new Map() };
      ggufFile.write(trained as unknown as Trained, to, lab.path('work'), {
        requantize: false,
        precision: 'q8_0',
      });
      return { folder, job: { path: `${to}/${MODEL_FILE}`, texts } };
    });
    const found = inLlamaCpp(jobs.map(({ job }) => job));
    for (const [i, { folder }] of jobs.entries()) {
      const tokenizer = loadTokenizer(`${folder}/tokenizer.json`);
      const wanted = texts.map((text) => [text, tokenizer.encodeBare(text)]);
      expect(texts.map((text, k) => [text, found[i].tokens[k]])).toEqual(wanted);
    }
  });
});
