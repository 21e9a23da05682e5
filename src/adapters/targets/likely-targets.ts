import { endingsOf } from './endings';
import type { NamedLayer } from './select';

/**
 * The layers that are usually adapted in the common model families, mostly query and value; if one layer holds both,
 * that layer.
 */
const USUAL = [
  ['query', 'value'],
  ['q_proj', 'v_proj'],
  ['q_lin', 'v_lin'],
  ['query_proj', 'value_proj'],
  ['q', 'v'],
  // The paper's in a U-Net, and the usual ones there.
  ['to_q', 'to_k', 'to_v', 'to_out.0'],
  ['to_q', 'to_v'],
  ['query_key_value'],
  ['qkv'],
  ['c_attn'],
  ['in_proj'],
];

/** The endings that the paper adapts, under this model's names; all endings if none is known. */
export function likelyTargets(layers: readonly NamedLayer[]): string[] {
  const names = endingsOf(layers).map((e) => e.name);
  return USUAL.find((row) => row.every((name) => names.includes(name))) ?? [];
}
