import type { AdapterSpec, MethodName } from './experiment';

/** As the papers write them. */
export const METHOD_NAMES: Record<MethodName, string> = {
  aurora: 'AuroRA',
  lora: 'LoRA',
  moslora: 'MoSLoRA',
  dora: 'DoRA',
  sinelora: 'SineLoRA',
  vera: 'VeRA',
  fourierft: 'FourierFT',
  bitfit: 'BitFit',
  full: 'Full fine-tuning',
};

/** Of a method that trains something inside the model. */
export const methodName = (spec: Exclude<AdapterSpec, { method: 'none' }>): string =>
  'useRslora' in spec && spec.useRslora
    ? METHOD_NAMES[spec.method].replace('LoRA', 'rsLoRA')
    : METHOD_NAMES[spec.method];

/** What its size goes by: "r2", "n1000"; empty where the layers alone decide. */
export function methodSize(spec: AdapterSpec): string {
  if ('rank' in spec) return `r${spec.rank}`;
  return spec.method === 'fourierft' ? `n${spec.frequencies}` : '';
}
