import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../run.mjs';
import { writeHalves } from './random-halves.mjs';

/**
 * Writes a folder of the hub in the shape of LLaMA3-8B, with random weights in bfloat16 and one file for each layer.
 * @param hidden its width: 4096, or less for a narrow model
 */
export function writeModel(folder, layers, vocabulary, hidden) {
  mkdirSync(folder, { recursive: true });
  const map = {};
  weights(layers, vocabulary, hidden).forEach((shard, i) => {
    const name = `model-${i}.safetensors`;
    for (const [weight] of shard) map[weight] = name;
    writeHalves(join(folder, name), shard, 'BF16');
  });
  const config = {
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    hidden_size: hidden,
    intermediate_size: innerOf(hidden),
    num_attention_heads: 32,
    num_key_value_heads: 8,
    num_hidden_layers: layers,
    vocab_size: vocabulary,
    rope_theta: 500000,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
  copyFileSync(join(ROOT, 'test/fixtures/data/wordpiece/tokenizer.json'), join(folder, 'tokenizer.json'));
}

const innerOf = (hidden) => 3.5 * hidden;

/** Name and shape of each weight, by the file that holds it. */
function weights(layers, vocabulary, hidden) {
  const [inner, keys] = [innerOf(hidden), hidden / 4];
  const ends = [
    ['model.embed_tokens.weight', [vocabulary, hidden]],
    ['lm_head.weight', [vocabulary, hidden]],
    ['model.norm.weight', [hidden]],
  ];
  const layer = (at) => [
    [`${at}.input_layernorm.weight`, [hidden]],
    [`${at}.post_attention_layernorm.weight`, [hidden]],
    [`${at}.self_attn.q_proj.weight`, [hidden, hidden]],
    [`${at}.self_attn.k_proj.weight`, [keys, hidden]],
    [`${at}.self_attn.v_proj.weight`, [keys, hidden]],
    [`${at}.self_attn.o_proj.weight`, [hidden, hidden]],
    [`${at}.mlp.gate_proj.weight`, [inner, hidden]],
    [`${at}.mlp.up_proj.weight`, [inner, hidden]],
    [`${at}.mlp.down_proj.weight`, [hidden, inner]],
  ];
  return [ends, ...Array.from({ length: layers }, (_, i) => layer(`model.layers.${i}`))];
}
