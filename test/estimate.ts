import { prepareModel } from '../src/graph/prepare';
import { loadModel } from '../src/graph/file/load';
import type { StepChoice } from '../src/extension/models/known-model';
import type { MethodName } from '../src/experiment/methods';
import type { MachineRates, StepCost } from '../src/protocol/step-cost';
import { stepCost } from '../src/checks/cost/step-cost';

/** Rates of no machine in particular. */
export const RATES: MachineRates = {
  at: 1,
  threads: 2,
  gflops: 100,
  int8Gflops: 300,
  widened: { blocks: 1e9, columns: 5e8 },
  bytesPerSecond: 1e10,
  functionsPerSecond: 1e9,
  secondsPerNode: 1e-6,
};

/** The estimate of a step by `aurora inspect`, on a machine of fixed speed. */
export function estimate(
  path: string,
  { targets, method = 'aurora', ...size }: StepChoice,
): Promise<StepCost> {
  const targetModules = targets === 'all-linear' ? targets : targets?.split(',');
  const choice = { ...size, method: method as MethodName, ...(targetModules && { targetModules }) };
  return Promise.resolve(stepCost(prepareModel(loadModel(path)), choice, RATES));
}
