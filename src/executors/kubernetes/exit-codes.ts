import { EXIT, type ErrorKind } from '../../base/errors';

/** Another node, or the next minute, may do better: memory, a device, a disk or a network that failed, an earlier owner. */
const WORTH_A_RETRY: readonly ErrorKind[] = [
  'failed',
  'disk',
  'device',
  'memory',
  'owned',
  'lost',
  'network',
  'requeue',
];

/** A shell's: the image has no Node, or none that runs there. */
const NO_PROGRAM = [126, 127];

/**
 * Exit codes after which a trial is not started again: mistakes in the experiment or its data, results that a repetition
 * would repeat, and a stop that was asked for. In ascending order, as Kubernetes requires.
 */
export const FINAL_EXIT_CODES: readonly number[] = [
  ...Object.entries(EXIT).flatMap(([kind, code]) =>
    code === EXIT.ok || WORTH_A_RETRY.includes(kind as ErrorKind) ? [] : [code],
  ),
  ...NO_PROGRAM,
].sort((a, b) => a - b);
