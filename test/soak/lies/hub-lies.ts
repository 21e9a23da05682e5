import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Draw } from '../draw';
import { hubReaders } from '../subjects';
import { deep, HUGE, type Lies, ODD } from './lie';

const FAMILIES = ['albert', 'bert', 'llama', 'vit', 'clip-text', 'gemma2', 'deberta-v3', 'convnext-v2', 'falcon-7b', 'beit-cls']; // prettier-ignore

/** A folder of the hub with another config.json. */
const config =
  (text: (draw: Draw, values: Record<string, unknown>) => string) =>
  (draw: Draw, folder: string): void => {
    const from = resolve('test/fixtures/hf', draw.pick(FAMILIES));
    copyFileSync(join(from, 'model.safetensors'), join(folder, 'model.safetensors'));
    const values = JSON.parse(readFileSync(join(from, 'config.json'), 'utf8')) as Record<string, unknown>;
    writeFileSync(join(folder, 'config.json'), text(draw, values));
  };

/** One number of a config.json, or several. */
const numbers = (count: number, lies: readonly unknown[]) =>
  config((draw, values) => {
    const keys = Object.keys(values).filter((key) => typeof values[key] === 'number');
    for (let i = 0; i < count; i++) values[draw.pick(keys)] = draw.pick(lies);
    return JSON.stringify(values);
  });

export const hubLies: Lies = {
  name: 'config.json',
  readers: hubReaders,
  lies: {
    'a size': numbers(1, HUGE),
    'several sizes': numbers(4, HUGE),
    'no size': numbers(1, ODD),
    'no number': numbers(2, ['x'.repeat(100_000), [], {}, null, true, [1, 2, 3]]),
    'NaN and Infinity': config((draw, values) => {
      const key = draw.pick(Object.keys(values));
      return JSON.stringify({ ...values, [key]: 0.125 }).replace('0.125', draw.pick(['NaN', 'Infinity', '-Infinity', '1e999'])); // prettier-ignore
    }),
    'a long name of the type': config((_draw, values) =>
      JSON.stringify({ ...values, model_type: 'm'.repeat(100_000) }),
    ),
    'a long name of an activation': config((_draw, values) =>
      JSON.stringify({ ...values, hidden_act: 'a'.repeat(100_000), hidden_activation: 'a'.repeat(100_000) }),
    ),
    'long names of architectures': config((draw, values) =>
      JSON.stringify({
        ...values,
        architectures: new Array<string>(draw.pick([1, 5000])).fill('A'.repeat(1000)),
      }),
    ),
    'many labels': config((_draw, values) =>
      JSON.stringify({
        ...values,
        id2label: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [i, `l${i}`])),
      }),
    ),
    'labels with any number': config((draw, values) =>
      JSON.stringify({
        ...values,
        id2label: { [draw.pick(HUGE)]: 'x', '-1': 'y' },
        num_labels: draw.pick(HUGE),
      }),
    ),
    'deep values': config((draw, values) => {
      const key = draw.pick(Object.keys(values));
      return JSON.stringify({ ...values, [key]: 0.125 }).replace(
        '0.125',
        deep('[', ']', '1', draw.pick([1000, 20_000])),
      );
    }),
    'scaled rotations': config((draw, values) =>
      JSON.stringify({
        ...values,
        rope_scaling: { rope_type: draw.pick(['linear', 'dynamic', 'llama3', 'yarn', 'longrope']), factor: draw.pick([...HUGE, ...ODD]), original_max_position_embeddings: draw.pick(HUGE), short_factor: [], long_factor: [1e308] }, // prettier-ignore
      }),
    ),
    'few bits': config((draw, values) =>
      JSON.stringify({
        ...values,
        quantization_config: { quant_method: draw.pick(['gptq', 'awq', 'bitsandbytes', 'x'.repeat(100_000)]), bits: draw.pick([4, 8, ...HUGE]), group_size: draw.pick([...HUGE, ...ODD]) }, // prettier-ignore
      }),
    ),
    'a device as config.json': (_draw, folder) => symlinkSync('/dev/zero', join(folder, 'config.json')),
    'a device as weights': (_draw, folder) => {
      const from = resolve('test/fixtures/hf/bert');
      copyFileSync(join(from, 'config.json'), join(folder, 'config.json'));
      symlinkSync('/dev/zero', join(folder, 'model.safetensors'));
    },
    'an index of weights': (draw, folder) => {
      const from = resolve('test/fixtures/hf/bert');
      copyFileSync(join(from, 'config.json'), join(folder, 'config.json'));
      const file = draw.pick([
        '../x',
        '/dev/zero',
        'f'.repeat(100_000),
        '',
        '.',
        'config.json',
        'gone.safetensors',
      ]);
      const map = Object.fromEntries(Array.from({ length: draw.pick([1, 5000]) }, (_, i) => [`w${i}`, file]));
      writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
    },
  },
};
