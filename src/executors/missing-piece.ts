import { AuroraError, type ErrorKind } from '../base/errors';

/** A part that training can lack; each has its own message and next action. */
export type MissingPiece = 'trust' | 'node' | 'nodeSetting' | 'runtime' | 'program';

/** Something is missing, detected before anything was started. */
export class MissingError extends AuroraError {
  constructor(
    readonly piece: MissingPiece,
    message: string,
    hint: string,
    kind: ErrorKind = 'device',
  ) {
    super(kind, message, hint);
  }
}

export const untrusted = (): MissingError =>
  new MissingError(
    'trust',
    'This workspace is in Restricted Mode: nothing in it is run or loaded.',
    'Trust the workspace to train in it.',
  );
