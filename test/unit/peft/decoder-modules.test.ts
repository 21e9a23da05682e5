import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FAMILIES } from '../../../src/architectures/families/family-registry';
import { readHeader } from '../../../src/architectures/folder/weight-files';
import { writeTensors } from '../../../src/architectures/folder/weights';
import { readSafetensors } from '../../../src/graph/file/safetensors';
import { writePeftAdapter } from '../../../src/peft/peft-adapter';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { adaptModel } from '../../../src/training/task/adapted-model';
import { initialAdapters } from '../../../src/training/task/initialize';
import { Lab } from '../../cli/lab';

const FIXTURES = resolve('test/fixtures/hf');
const lab = new Lab();
afterAll(() => lab.remove());

type Config = Record<string, unknown> & { model_type: string };
const configOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Config;

/** Folders of decoders as transformers 5 saves them, with `model_type`. */
const DECODERS = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => {
    const folder = join(FIXTURES, name);
    try {
      const { model_type: type } = configOf(folder);
      return FAMILIES.get(type)?.caches ? [{ name, folder, type }] : [];
    } catch {
      return [];
    }
  });

/** The model of a text decoder inside one that also reads images, whose class has it as `model.language_model`. */
function inLanguageModel(folder: string): string {
  const out = lab.path('gemma3-images');
  mkdirSync(out);
  const { model_type, architectures, ...text } = configOf(folder);
  expect([model_type, architectures]).toEqual(['gemma3_text', ['Gemma3ForCausalLM']]);
  const config = {
    model_type: 'gemma3',
    architectures: ['Gemma3ForConditionalGeneration'],
    text_config: { model_type, ...text },
  };
  writeFileSync(join(out, 'config.json'), JSON.stringify(config));
  const tensors = [...readHeader(join(folder, 'model.safetensors')).values()];
  writeTensors(
    join(out, 'model.safetensors'),
    tensors.map((t) => ({ ...t, name: t.name.replace(/^model\./, 'model.language_model.') })),
  );
  return out;
}

/** The files of a new LoRA on every linear layer but the head for language. */
function exported(model: string, name: string) {
  const out = lab.path(`adapter-${name}`);
  mkdirSync(out);
  const spec = loadExperiment(lab.experiment, [
    `model.path=${model}`,
    'model.maxLength=4',
    'task={"type":"causal-language-modeling"}',
    'adapter={"method":"lora","rank":1,"targetModules":"all-linear"}',
    'training.metric=perplexity',
  ]);
  const adapted = adaptModel(spec);
  const task = { spec, ...adapted };
  writePeftAdapter(out, task, initialAdapters(adapted.adapters, 1), { labels: [] });
  const { tensors } = readSafetensors(join(out, 'adapter_model.safetensors'));
  const config = JSON.parse(readFileSync(join(out, 'adapter_config.json'), 'utf8')) as Config;
  return { tensors, config };
}

/**
 * The modules that have a weight of two axes, with their places in the class. Norms of heads have one, too; routers and experts stay
 * frozen.
 */
const weights = (folder: string): Map<string, number[]> =>
  new Map(
    [...readHeader(join(folder, 'model.safetensors')).values()].flatMap(({ name, dims }) =>
      dims.length === 2 &&
      name.endsWith('.weight') &&
      !/(^|\.)(embed_\w+|word_embeddings|wte|wpe|lm_head|embed_out|[qk]_norm)\./.test(name) &&
      !/\.(gate|router|experts)\./.test(name)
        ? [[name.slice(0, -'.weight'.length), dims]]
        : [],
    ),
  );

function expectNames(folder: string, name: string, prefix = '') {
  const { tensors, config } = exported(folder, name);
  const modules = [...weights(folder)].map(([path, dims]) => [prefix + path, dims] as const);
  expect(modules.length).toBeGreaterThan(7);
  const conv1d = config.fan_in_fan_out === true;
  for (const [path, dims] of modules) {
    const [out, inner] = conv1d ? [...dims].reverse() : dims;
    // PEFT's wrappers, the module's path in the class, and PEFT's part.
    expect([path, tensors.get(`base_model.model.${path}.lora_A.weight`)?.dims]).toEqual([path, [1, inner]]);
    expect([path, tensors.get(`base_model.model.${path}.lora_B.weight`)?.dims]).toEqual([path, [out, 1]]);
  }
  expect(tensors.size).toBe(2 * modules.length);
  expect([...(config.target_modules as string[])].sort()).toEqual(modules.map(([path]) => path).sort());
  expect(config).toMatchObject({ peft_type: 'LORA', task_type: 'CAUSAL_LM', modules_to_save: null });
}

describe('a LoRA of a decoder has the names of the modules in transformers’ class', () => {
  it('in every family with a folder', () => {
    const covered = new Set([...DECODERS.map(({ type }) => type), 'gemma3']);
    expect(
      [...FAMILIES].flatMap(([type, { caches }]) => (caches && !covered.has(type) ? [type] : [])),
    ).toEqual([]);
  });

  it.each(DECODERS)('$name ($type)', ({ name, folder }) => {
    // One of GPT-2's folders is of the base model alone, which the class for language has as `transformer`.
    const isBase = [...weights(folder).keys()].some((path) => path.startsWith('h.'));
    expectNames(folder, name, isBase ? 'transformer.' : '');
  });

  it('gemma3, inside a model that also reads images', () => {
    expectNames(inLanguageModel(join(FIXTURES, 'gemma3')), 'gemma3-images');
  });
});
