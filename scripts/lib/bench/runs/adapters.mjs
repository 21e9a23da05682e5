import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../../console.mjs';
import { cleanUp, FOLDER, inNewProcesses, prepareCase, takeTurns } from '../cases.mjs';
import { Contestant } from '../contestant.mjs';

/** The adapted layers, and the goal for the time of AuroRA's step beside LoRA's. */
const TARGETS = [
  { what: 'query and value', targets: 'query,value', goal: 1.015 },
  { what: 'all linear layers', targets: 'all-linear', goal: 1.025 },
];
const SIZES = [
  { name: '6 layers × 384, batch 16 × 128', size: '6x384:16x128' },
  { name: '12 layers × 768, batch 16 × 32', size: '12x768:16x32' },
];
const WARM_UP = 1;
/** The rounds are divided among so many processes of each side. */
const PROCESSES = 4;

/** Steps of AuroRA and LoRA of one rank, in turns. */
export async function adapters({ threads, steps: rounds }) {
  const results = [];
  for (const { name, size } of SIZES)
    for (const { what, targets, goal } of TARGETS) {
      say(`AuroRA beside LoRA: ${name}, ${what} …`);
      const cases = ['aurora', 'lora'].map((method) => prepareCase(size, method, targets));
      const sides = cases.map(
        (path) => new Contestant(path, process.execPath, [join(FOLDER, 'step.cjs'), path, `${threads}`]),
      );
      try {
        const each = {
          warmUp: WARM_UP,
          rounds: Math.ceil(rounds / PROCESSES),
          seconds: Infinity,
          twice: true,
        };
        await inNewProcesses(PROCESSES, sides, () => takeTurns(sides, 'step', each));
        results.push({ name, what, goal, sides: sides.map((side, i) => figures(side, cases[i])) });
      } finally {
        cleanUp();
      }
    }
  return results;
}

const figures = ({ times, cpuTimes }, path) => ({
  times: times.step,
  cpu: cpuTimes.step,
  ...JSON.parse(readFileSync(path, 'utf8')).cost,
});
