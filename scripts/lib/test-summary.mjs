/**
 * @typedef {object} Part the result of a tier
 * @property {string} tier
 * @property {number} passed
 * @property {string[]} failures
 * @property {number} skipped
 * @property {number} seconds with its preparation
 */

/** @param {Part} part */
export function partLine({ tier, passed, failures, skipped, seconds }) {
  return `${tier}: ${counts({ passed, failures, skipped })} in ${Math.round(seconds)} s`;
}

/**
 * A table of the tiers, and a row of their sums.
 * @param {Part[]} parts
 * @param {number} seconds of the whole run, dependencies and the build among them
 */
export function partsTable(parts, seconds) {
  const sum = (number) => parts.reduce((total, part) => total + number(part), 0);
  const rows = [
    ['Tier', 'Passed', 'Failed', 'Skipped', 'Seconds'],
    ...parts.map((p) => [p.tier, p.passed, p.failures.length, p.skipped, Math.round(p.seconds)]),
    [
      'total',
      sum((p) => p.passed),
      sum((p) => p.failures.length),
      sum((p) => p.skipped),
      Math.round(seconds),
    ],
  ];
  return rows
    .map(([tier, ...numbers]) => tier.padEnd(9) + numbers.map((n) => String(n).padStart(9)).join(''))
    .join('\n');
}

/** "432 passed, 0 failed, 3 skipped" */
export function counts({ passed, failures, skipped }) {
  return `${passed} passed, ${failures.length} failed${skipped ? `, ${skipped} skipped` : ''}`;
}
