import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../src/data/images/decode-image';
import { encodeSafetensors, type FloatTensor, readSafetensors } from '../../../src/graph/file/safetensors';
import { Player } from '../../../src/inference/player';
import type { PlayLine } from '../../../src/protocol/playground';
import { scratchFolder } from '../../scratch';

const SD = join(import.meta.dirname, '../../fixtures/diffusers/sd');
const scratch = scratchFolder('adapted-convolutions');

const numbers = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i) / 2);

/** Convolutions before and after transformers, and one beside a resnet, with the channels that they read and give. */
const MODULES: Record<string, [outputs: number, inputs: number]> = {
  'down_blocks.0.attentions.0.proj_in': [8, 8],
  'mid_block.attentions.0.proj_out': [16, 16],
  'down_blocks.1.resnets.0.conv_shortcut': [16, 8],
};
const RANK = 2;
const ALPHA = 3;

function lora(): string {
  const tensors = new Map<string, FloatTensor>();
  Object.entries(MODULES).forEach(([path, [outputs, inputs]], i) => {
    const name = `lora_unet_${path.replaceAll('.', '_')}`;
    const down = { dims: [RANK, inputs, 1, 1], data: numbers(RANK * inputs, i) };
    const up = { dims: [outputs, RANK, 1, 1], data: numbers(RANK * outputs, i + 9) };
    tensors.set(`${name}.lora_down.weight`, down);
    tensors.set(`${name}.lora_up.weight`, up);
    tensors.set(`${name}.alpha`, { dims: [], data: Float32Array.of(ALPHA) });
  });
  const path = join(scratch, 'convolutions.safetensors');
  writeFileSync(path, encodeSafetensors(tensors));
  return path;
}

/** The pipeline with W + alpha / rank · up · down in its file. */
function merged(): string {
  const folder = join(scratch, 'merged');
  cpSync(SD, folder, { recursive: true });
  const file = join(folder, 'unet/diffusion_pytorch_model.safetensors');
  const { tensors } = readSafetensors(file);
  Object.entries(MODULES).forEach(([path, [outputs, inputs]], i) => {
    const { data } = tensors.get(`${path}.weight`)!;
    const [down, up] = [numbers(RANK * inputs, i), numbers(RANK * outputs, i + 9)];
    for (let o = 0; o < outputs; o++)
      for (let c = 0; c < inputs; c++)
        for (let r = 0; r < RANK; r++)
          data[o * inputs + c]! += (ALPHA / RANK) * up[o * RANK + r]! * down[r * inputs + c]!;
  });
  writeFileSync(file, encodeSafetensors(tensors));
  return folder;
}

async function drawn(model: string, adapter?: string) {
  const lines: PlayLine[] = [];
  const folder = mkdtempSync(join(scratch, 'player-'));
  const player = new Player((line) => void lines.push(line), { folder, threads: 1 });
  await player.load('1', { kind: 'model', model, adapter });
  const settings = { steps: 3, guidance: 3, sampler: 'ddim', seed: 1, width: 32, height: 32 } as const;
  await player.receive({ kind: 'draw', request: 1, text: 'a dog', settings });
  await player.receive({ kind: 'unload', subject: '1' });
  expect(lines.filter((line) => line.kind === 'problem')).toEqual([]);
  const pictures = lines.filter((line) => line.kind === 'picture');
  return Promise.all(
    pictures.map(async ({ png }) => (await decodeImage(Buffer.from(png, 'base64'), 'it')).data),
  );
}

const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));

describe('a LoRA on convolutions of single pixels', () => {
  it('draws as the pipeline whose weights it is added to, and its base as it was', async () => {
    const [adapted, base] = await drawn(SD, lora());
    const [whole] = await drawn(merged());
    const [before] = await drawn(SD);
    expect(apart(adapted!, whole!)).toBeLessThanOrEqual(1);
    expect(apart(base!, before!)).toBeLessThanOrEqual(1);
    expect(apart(adapted!, base!)).toBeGreaterThan(8);
  });
});
