import { afterAll, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { requirePositions } from '../../../src/training/task/adapted-model';
import { bertConfig, bertTensors, Folders, safetensors, TINY } from './folders';
import { LLAMA, llamaTensors } from './llama';

const folders = new Folders();
afterAll(() => folders.remove());

it.each([
  ['bert', TINY.positions],
  // The first two rows of its table are the padding's and an unused one.
  ['roberta', TINY.positions - 2],
])('a %s with a table of 7 positions reads %i tokens', (type, most) => {
  const path = folders.make({
    'config.json': bertConfig({ model_type: type }),
    'model.safetensors': safetensors(bertTensors('F32', `${type}.`)),
  });
  const needs = (maxLength: number) => () =>
    requirePositions(loadModelFrom(modelSource(path)), { path, maxLength, tokenizer: '' });
  expect(needs(most)).not.toThrow();
  expect(needs(most + 1)).toThrow(
    `model.maxLength is ${most + 1}, but ${path} has positions for ${most} tokens.`,
  );
});

it('texts are not packed into rows whose positions are scaled in another way', () => {
  const path = folders.make({
    'config.json': { ...LLAMA, max_position_embeddings: 16, rope_scaling: { type: 'dynamic', factor: 2 } },
    'model.safetensors': safetensors(llamaTensors()),
  });
  const needs = (maxLength: number, packing: boolean) => () =>
    requirePositions(loadModelFrom(modelSource(path)), { path, maxLength, tokenizer: '' }, packing);
  expect(needs(17, false)).not.toThrow();
  expect(needs(16, true)).not.toThrow();
  expect(needs(17, true)).toThrow(/rows of up to 17 tokens .* more than 16 tokens in another way/);
});
