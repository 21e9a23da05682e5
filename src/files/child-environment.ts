import { nameTable } from '../base/names';

/**
 * The environment for a child process. `spawn` also passes on what the object inherits, and `process.env` if it gets
 * none. This object has no prototype, so that a child gets exactly these variables.
 */
export const childEnvironment = (
  from: Readonly<NodeJS.ProcessEnv> = process.env,
  more: Readonly<NodeJS.ProcessEnv> = {},
): NodeJS.ProcessEnv => nameTable([...Object.entries(from), ...Object.entries(more)]);
