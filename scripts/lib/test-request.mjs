import { Failure } from './console.mjs';

const USAGE = (tiers) =>
  [
    'npm test                     the quick selection of every tier',
    'npm test -- --all            every test',
    'npm test TIER [-- FILTER …]  all tests of a tier, or those whose path contains FILTER',
    `Tiers: ${tiers.join(', ')}.`,
  ].join('\n');

/**
 * Reads the arguments of `npm test`. A tier that is named runs whole: only without one is there a quick selection.
 * @param {string[]} args
 * @param {string[]} tiers the names of all tiers
 * @returns {{ tiers: string[], filters: string[], quick: boolean }} tiers to run, in their order
 * @throws {Failure} for an unknown tier or option
 */
export function testRequest(args, tiers) {
  const unknown = args.find((arg) => arg.startsWith('-') && arg !== '--all');
  if (unknown) throw new Failure(`Unknown option "${unknown}".`, USAGE(tiers));
  const [tier, ...filters] = args.filter((arg) => arg !== '--all');
  if (tier && !tiers.includes(tier)) throw new Failure(`Unknown tier "${tier}".`, USAGE(tiers));
  return { tiers: tier ? [tier] : tiers, filters, quick: args.length === 0 };
}
