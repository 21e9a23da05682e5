import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { loadModel } from '../../../../src/graph/file/load';
import { saveModel } from '../../../../src/graph/file/save';
import { png } from '../../../png';

const FIXTURES = resolve('test/fixtures');

export const picture = (i: number): Buffer =>
  png(30 + (i % 3), 28, (x, y) => [(40 * i) % 255, (x * y) % 255, 200 - 5 * i]);

export function write(folder: string, name: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
}

const copy = (folder: string, from: string, to: string) =>
  cpSync(join(FIXTURES, from), join(folder, to), { recursive: true });

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

const TEXTS = lines(
  Array.from({ length: 6 }, (_, i) => ({ text: `the cat ${i % 2 ? 'sat' : 'ran'}`, label: `${i % 2}` })),
);

const pictures = (folder: string, from: number, to: number, names: string) => {
  for (let i = from; i < to; i++) write(folder, `${names}/${i}.png`, picture(i));
};

/** Each kind of experiment, with its files written to a folder: what it says, and files that could stand beside the others. */
export const KINDS: Record<string, (folder: string) => { experiment: object; later: string[] }> = {
  "texts, with a model in the hub's cache, where files are links": (folder) => {
    const snapshot = `hub/models--org--bert/snapshots/${'a'.repeat(40)}`;
    const blobs = 'hub/models--org--bert/blobs';
    mkdirSync(join(folder, snapshot), { recursive: true });
    for (const from of [
      'hf/bert/config.json',
      'hf/bert/model.safetensors',
      'data/wordpiece/tokenizer.json',
    ]) {
      const name = from.split('/').at(-1)!;
      copy(folder, from, `${blobs}/of-${name}`);
      symlinkSync(`../../blobs/of-${name}`, join(folder, snapshot, name));
    }
    write(folder, 'train.jsonl', TEXTS);
    return {
      experiment: {
        model: { path: snapshot, maxLength: 16 },
        task: { type: 'text-classification' },
        data: { train: 'train.jsonl', test: 'train.jsonl' },
        adapter: { method: 'lora', targetModules: ['query'], rank: 2 },
      },
      later: ['tokenizer_config.json', 'chat_template.jinja'].map((name) => `${snapshot}/${name}`),
    };
  },
  'texts, with weights beside an ONNX file': (folder) => {
    saveModel(loadModel(join(FIXTURES, 'reference/bert.onnx')), join(folder, 'model.onnx'), 0);
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      copy(folder, `data/wordpiece/${name}`, name);
    write(folder, 'part-1.jsonl', TEXTS);
    write(folder, 'part-2.jsonl', TEXTS.replaceAll('cat', 'dog'));
    write(folder, 'other.jsonl', TEXTS.replaceAll('cat', 'man'));
    return {
      experiment: {
        model: { path: 'model.onnx', maxLength: 16 },
        task: { type: 'text-classification' },
        data: {
          train: 'part-*.jsonl',
          validation: 'other.jsonl',
          evaluations: { one: { path: 'other.jsonl' } },
        },
        adapter: { method: 'lora', targetModules: ['query'], rank: 2 },
      },
      later: ['config.json', 'chat_template.jinja', 'part-3.jsonl'],
    };
  },
  'texts, with a CLIP tokenizer outside of a pipeline': (folder) => {
    copy(folder, 'diffusers/sd/text_encoder', 'clip');
    copy(folder, 'diffusers/sd/tokenizer', 'clip');
    write(folder, 'train.jsonl', TEXTS);
    return {
      experiment: {
        model: { path: 'clip', tokenizer: 'clip/vocab.json', maxLength: 16 },
        task: { type: 'text-classification', pooling: 'mean' },
        data: { train: 'train.jsonl' },
        adapter: { method: 'lora', targetModules: ['q_proj'], rank: 2 },
      },
      later: ['clip/added_tokens.json'],
    };
  },
  'images that tables name': (folder) => {
    copy(folder, 'reference/vit.onnx', 'model.onnx');
    const settings = { image_processor_type: 'ViTImageProcessor', size: { height: 24, width: 24 } };
    write(folder, 'preprocessor_config.json', JSON.stringify(settings));
    pictures(folder, 0, 12, 'images');
    const rows = Array.from({ length: 12 }, (_, i) => ({ image: `images/${i}.png`, label: `${i % 2}` }));
    write(folder, 'train.jsonl', lines(rows.slice(0, 6)));
    write(
      folder,
      'tables/validation.jsonl',
      lines(rows.slice(6, 9).map((r) => ({ ...r, image: `../${r.image}` }))),
    );
    write(folder, 'test.jsonl', lines(rows.slice(9)));
    return {
      experiment: {
        model: { path: 'model.onnx' },
        task: { type: 'image-classification' },
        data: { train: 'train.jsonl', validation: 'tables/validation.jsonl', test: 'test.jsonl' },
        adapter: { method: 'lora', targetModules: ['query'], rank: 2 },
      },
      later: [],
    };
  },
  'pictures with captions, some outside of their folder, and a pipeline': (folder) => {
    copy(folder, 'diffusers/sd', 'sd');
    pictures(folder, 0, 3, 'images');
    pictures(folder, 3, 5, 'others');
    const names = ['0.png', '1.png', '2.png', '../others/3.png', '../others/4.png'];
    write(
      folder,
      'images/metadata.jsonl',
      lines(names.map((name) => ({ file_name: name, text: `a photo of ${name}` }))),
    );
    return {
      experiment: {
        model: { path: 'sd' },
        task: { type: 'subject-generation', resolution: 32 },
        data: { train: 'images' },
        adapter: { method: 'lora', rank: 2 },
        training: { pictures: { prompts: ['a photo'], steps: 1 } },
      },
      later: ['added_tokens.json'].map((name) => `sd/tokenizer/${name}`).concat('sd/unet/model.safetensors'),
    };
  },
};
