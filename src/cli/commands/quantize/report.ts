import { count } from '../../../base/number-text';
import type { QuantizedLayer, QuantizeResult } from '../../../protocol/quantize';

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

export const layerText = ({ path, inFeatures, outFeatures, error }: QuantizedLayer): string =>
  `  ${path}  ${inFeatures} → ${outFeatures}  error ${percent(error)}\n`;

export function resultText({ path, bytes, layers, kept }: QuantizeResult, copied: readonly string[]): string {
  const worst = layers.reduce((a, b) => (b.error > a.error ? b : a));
  const weights = layers.reduce((n, l) => n + l.inFeatures * l.outFeatures, 0);
  const lines = [
    `${count(layers.length)} layers with ${count(weights)} weights; the largest error is ${percent(worst.error)}, of ${worst.path}`,
    ...(kept.length > 0
      ? [`not quantized: ${kept.slice(0, 5).join(', ')}${kept.length > 5 ? ' …' : ''}`]
      : []),
    ...(copied.length > 0 ? [`copied: ${copied.join(', ')}`] : []),
    `${path}, ${(bytes / 2 ** 20).toFixed(1)} MiB of weights`,
  ];
  return `${lines.join('\n')}\n`;
}
