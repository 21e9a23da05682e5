import type { BudgetModule } from '../adapters/budget/budget';
import { linear, times } from './layers';
import type { PaperModel } from './models';

/** Width of the two text encoders' joint output, which cross-attention reads. */
const CONTEXT = 2048;

/** A Transformer2DModel: projections around `depth` blocks of self-attention, cross-attention and GEGLU. */
function transformer(path: string, width: number, depth: number): BudgetModule[] {
  return [
    linear(`${path}.proj_in`, width, width),
    ...times(depth, (i) => {
      const at = `${path}.transformer_blocks.${i}`;
      return [
        ...attention(`${at}.attn1`, width, width),
        ...attention(`${at}.attn2`, width, CONTEXT),
        linear(`${at}.ff.net.0.proj`, width, 8 * width),
        linear(`${at}.ff.net.2`, 4 * width, width),
      ];
    }),
    linear(`${path}.proj_out`, width, width),
  ];
}

const attention = (path: string, width: number, context: number): BudgetModule[] => [
  linear(`${path}.to_q`, width, width, false),
  linear(`${path}.to_k`, context, width, false),
  linear(`${path}.to_v`, context, width, false),
  linear(`${path}.to_out.0`, width, width),
];

const modules = [
  ...times(2, (i) => transformer(`down_blocks.1.attentions.${i}`, 640, 2)),
  ...times(2, (i) => transformer(`down_blocks.2.attentions.${i}`, 1280, 10)),
  ...transformer('mid_block.attentions.0', 1280, 10),
  ...times(3, (i) => transformer(`up_blocks.0.attentions.${i}`, 1280, 10)),
  ...times(3, (i) => transformer(`up_blocks.1.attentions.${i}`, 640, 2)),
];

/** The U-Net's transformers, where the adapters go; its convolutions and time embeddings are omitted. */
export const SDXL: PaperModel = {
  id: 'sdxl',
  name: 'SDXL (U-Net)',
  modules,
  // diffusers' UNet2DConditionModel of stable-diffusion-xl-base-1.0.
  parameters: 2_567_463_684,
  targets: ['to_q', 'to_k', 'to_v', 'to_out.0'],
  targetsAssumed: true,
  loraRank: 4,
  source:
    'SDXL (arXiv 2307.01952), the transformers of its U-Net: 2 blocks deep at width 640, 10 at width 1280. The paper gives no settings for it; the targets are those that DreamBooth with LoRA usually adapts.',
};
