import { describe, expect, it } from 'vitest';
import { patchOf, readsPrompt } from '../../../src/protocol/activation-examples';

const square = { width: 224, height: 224 };

describe('the patch of a token', () => {
  it.each([
    ['ViT', 1 + 14 * 14, 1],
    ['DeiT', 2 + 14 * 14, 2],
    ['SigLIP', 14 * 14, 0],
    ['DINOv2 with registers', 5 + 16 * 16, 5],
  ])('is found after the first tokens of %s', (_, positions, first) => {
    const side = Math.sqrt(positions - first);
    expect(patchOf(square, positions, first - 1)).toBeUndefined();
    expect(patchOf(square, positions, first)).toEqual({ left: 0, top: 0, width: 1 / side, height: 1 / side });
    expect(patchOf(square, positions, first + side + 2)).toMatchObject({ left: 2 / side, top: 1 / side });
    expect(patchOf(square, positions, positions - 1)).toMatchObject({
      left: 1 - 1 / side,
      top: 1 - 1 / side,
    });
  });

  it('has the aspect ratio of the image', () =>
    expect(patchOf({ width: 320, height: 160 }, 1 + 20 * 10, 1 + 20)).toEqual({
      left: 0,
      top: 1 / 10,
      width: 1 / 20,
      height: 1 / 10,
    }));

  it('is unknown behind pooling, and where no grid fits', () => {
    expect(patchOf(square, 1, 0)).toBeUndefined();
    expect(patchOf(square, 47, 12)).toBeUndefined();
  });
});

describe('the tokens of a U-Net', () => {
  it('are patches of the latents, of another grid at each level', () => {
    for (const side of [64, 32, 16, 8])
      expect(patchOf({ width: 512, height: 512 }, side * side, side + 3)).toEqual({
        left: 3 / side,
        top: 1 / side,
        width: 1 / side,
        height: 1 / side,
      });
  });

  it.each([
    ['down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_k', false],
    ['down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_q', false],
    ['mid_block.attentions.0.transformer_blocks.3.attn2.to_out.0', false],
    ['down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k', true],
    ['up_blocks.1.attentions.2.transformer_blocks.0.attn2.to_v', true],
    ['text_encoder.text_model.encoder.layers.0.self_attn.q_proj', true],
    ['text_encoder_2.text_model.encoder.layers.0.self_attn.out_proj', true],
    ['vit.encoder.layer.0.attention.attention.query', false],
  ])('are those of the prompt or not: %s', (path, isPrompt) => expect(readsPrompt(path)).toBe(isPrompt));
});
