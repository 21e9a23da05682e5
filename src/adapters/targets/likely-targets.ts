import { endingsOf } from './endings';
import type { NamedLayer } from './select';

/** Query and value as the common model families name them; if one layer holds both, that layer. */
const QUERY_AND_VALUE = [
  ['query', 'value'],
  ['q_proj', 'v_proj'],
  ['q_lin', 'v_lin'],
  ['query_proj', 'value_proj'],
  ['q', 'v'],
  ['to_q', 'to_v'],
  ['query_key_value'],
  ['qkv'],
  ['c_attn'],
  ['in_proj'],
];

/** The endings that the paper adapts, under this model's names; all endings if none is known. */
export function likelyTargets(layers: readonly NamedLayer[]): string[] {
  const names = endingsOf(layers).map((e) => e.name);
  return QUERY_AND_VALUE.find((pair) => pair.every((name) => names.includes(name))) ?? [];
}
