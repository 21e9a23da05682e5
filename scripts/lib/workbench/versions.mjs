import { join } from 'node:path';
import { ROOT } from '../run.mjs';

/** Everything a workbench needs and writes. */
export const HOME = join(ROOT, '.cache', 'workbench');

/**
 * VS Code from npm, with the Node it runs on: the oldest supported version and a recent one. code-server rejects any
 * other major version of Node.
 */
export const VERSIONS = {
  '1.100': {
    codeServer: '4.100.3',
    node: {
      x64: node(
        'linux-x64@20.20.2',
        'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
      ),
      arm64: node(
        'linux-arm64@20.20.2',
        'sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
      ),
    },
  },
  1.139: {
    codeServer: '4.139.1',
    node: {
      x64: node(
        'linux-x64@24.21.0',
        'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
      ),
      arm64: node(
        'linux-arm64@24.21.0',
        'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
      ),
    },
  },
};

function node(name, integrity) {
  return { spec: `node-${name}`, integrity };
}
