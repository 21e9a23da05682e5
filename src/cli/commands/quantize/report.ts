import { bytes, count, sharePercent } from '../../../base/number-text';
import type { QuantizedLayer, QuantizeResult } from '../../../protocol/quantize';

export const layerText = ({ path, inFeatures, outFeatures, error }: QuantizedLayer): string =>
  `  ${path}  ${outFeatures} × ${inFeatures}  error ${sharePercent(error)}\n`;

export function resultText(
  { path, bytes: size, layers, kept }: QuantizeResult,
  copied: readonly string[],
): string {
  const worst = layers.reduce((a, b) => (b.error > a.error ? b : a));
  const weights = layers.reduce((n, l) => n + l.inFeatures * l.outFeatures, 0);
  const lines = [
    `${count(layers.length)} layers with ${count(weights)} weights; the largest error is ${sharePercent(worst.error)}, of ${worst.path}`,
    ...(kept.length > 0
      ? [`not quantized: ${kept.slice(0, 5).join(', ')}${kept.length > 5 ? ' …' : ''}`]
      : []),
    ...(copied.length > 0 ? [`copied: ${copied.join(', ')}`] : []),
    `${path}, ${bytes(size)} of weights`,
  ];
  return `${lines.join('\n')}\n`;
}
