import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../run.mjs';
import { writeHalves } from './random-halves.mjs';

const [HIDDEN, INNER, KEYS] = [4096, 14336, 1024];

/** Writes a folder of the hub in the shape of LLaMA3-8B, with random weights in bfloat16 and one file for each layer. */
export function writeModel(folder, layers, vocabulary) {
  mkdirSync(folder, { recursive: true });
  const map = {};
  weights(layers, vocabulary).forEach((shard, i) => {
    const name = `model-${i}.safetensors`;
    for (const [weight] of shard) map[weight] = name;
    writeHalves(join(folder, name), shard, 'BF16');
  });
  const config = {
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    hidden_size: HIDDEN,
    intermediate_size: INNER,
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

/** Name and shape of each weight, by the file that holds it. */
function weights(layers, vocabulary) {
  const ends = [
    ['model.embed_tokens.weight', [vocabulary, HIDDEN]],
    ['lm_head.weight', [vocabulary, HIDDEN]],
    ['model.norm.weight', [HIDDEN]],
  ];
  const layer = (at) => [
    [`${at}.input_layernorm.weight`, [HIDDEN]],
    [`${at}.post_attention_layernorm.weight`, [HIDDEN]],
    [`${at}.self_attn.q_proj.weight`, [HIDDEN, HIDDEN]],
    [`${at}.self_attn.k_proj.weight`, [KEYS, HIDDEN]],
    [`${at}.self_attn.v_proj.weight`, [KEYS, HIDDEN]],
    [`${at}.self_attn.o_proj.weight`, [HIDDEN, HIDDEN]],
    [`${at}.mlp.gate_proj.weight`, [INNER, HIDDEN]],
    [`${at}.mlp.up_proj.weight`, [INNER, HIDDEN]],
    [`${at}.mlp.down_proj.weight`, [HIDDEN, INNER]],
  ];
  return [ends, ...Array.from({ length: layers }, (_, i) => layer(`model.layers.${i}`))];
}
