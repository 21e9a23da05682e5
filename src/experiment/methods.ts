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

export const METHOD_ORDER = Object.keys(METHOD_NAMES) as MethodName[];

export const isMethod = (value: unknown): value is MethodName =>
  typeof value === 'string' && Object.hasOwn(METHOD_NAMES, value);

/** Which of the numbers that a budget goes by a method has. */
export const hasRank = (m: MethodName): boolean => !['fourierft', 'bitfit', 'full'].includes(m);
export const hasAlpha = (m: MethodName): boolean => ['aurora', 'lora', 'moslora', 'dora'].includes(m);

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
