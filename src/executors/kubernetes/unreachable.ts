import { AuroraError } from '../../base/errors';

export const unreachable = (name: string, why: string): AuroraError =>
  new AuroraError(
    'network',
    `${name} cannot be reached: ${why}.`,
    'Try "kubectl get jobs" in a terminal. The jobs in the cluster are not affected.',
  );
