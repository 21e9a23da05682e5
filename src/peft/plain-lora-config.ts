import { exactly } from '../adapters/targets/targets';

type ByModule = ReadonlyMap<string, number>;

/**
 * PEFT's configuration of a plain LoRA that was read from a file without one.
 *
 * @param ranks by module, as in the file
 * @param alphas with which alpha / rank is the scale
 */
export function plainLoraConfig(ranks: ByModule, alphas: ByModule): Record<string, unknown> {
  const alpha = mostCommon(alphas);
  const others = [...alphas].filter(([, value]) => value !== alpha);
  return {
    peft_type: 'LORA',
    r: mostCommon(ranks),
    lora_alpha: alpha,
    alpha_pattern: Object.fromEntries(others.map(([module, value]) => [exactly(module), value])),
  };
}

function mostCommon(values: ByModule): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values.values()) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).at(0)?.[0];
}
