import type { DeviceEvent } from './events';
import { stepTime } from '../base/number-text';
import { t } from '../base/l10n';

export type Device = Omit<DeviceEvent, 'kind' | 'step'>;

/** Spelled as its makers do. */
export const engineWords = (engine: string): string => (engine === 'tfjs' ? 'TensorFlow.js' : 'ONNX Runtime');

/** "ONNX Runtime on webgpu" */
export const placeName = ({ engine, device }: { engine: string; device: string }): string =>
  t('{0} on {1}', engineWords(engine), device);

/** "ONNX Runtime on cpu, the fastest on this machine" */
export function deviceWords(of: Device): string {
  const place = placeName(of);
  switch (of.reason) {
    case 'chosen':
      return t('{0}, as requested', place);
    case 'fastest':
      return t('{0}, the fastest on this machine', place);
    case 'only':
      return t('{0}, the only candidate on this machine', place);
    case 'fallback':
      return t('{0}, because the chosen device cannot be used', place);
    case 'resumed':
      return t('{0}, as before', place);
  }
}

/** The device on one line, with the step time or the error of everything else that this machine has. */
export function deviceLine(of: Device): string {
  const tried = of.tried
    .filter(({ missing }) => !missing)
    .map(({ device, secondsPerStep, problem }) =>
      secondsPerStep === undefined
        ? t('{0}: {1}', device, (problem ?? '').replace(/\.$/, ''))
        : t('{0}: {1}/step', device, stepTime(secondsPerStep)),
    );
  const words = deviceWords(of);
  return tried.length > 0 ? t('{0} ({1})', words, tried.join('; ')) : words;
}

export const deviceSentence = (of: Device): string => t('Device: {0}.', deviceLine(of));
