import type { Op, OpTable } from '../op';
import { allOnHost } from '../value';
import { elementwise } from './elementwise';
import { reductions } from './reductions';

/** Operators that are plain arithmetic if all inputs are on the host. */
const HOST: OpTable = { ...elementwise, ...reductions };

/**
 * Keeps operators on the host if all their inputs are: shapes, indices and masks are then known before the next
 * operator needs them, and keep int64's range.
 */
export const preferHost = (device: OpTable): OpTable =>
  Object.fromEntries(
    [...new Set([...Object.keys(device), ...Object.keys(HOST)])].map((name) => [
      name,
      choose(device[name], HOST[name]),
    ]),
  );

const choose = (device: Op | undefined, host: Op | undefined): Op =>
  host && device ? (c) => (allOnHost(c) ? host(c) : device(c)) : (device ?? host)!;
