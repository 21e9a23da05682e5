import { expect, it } from 'vitest';
import { clusterPlatform } from '../../../../src/executors/remote/platform';
import type { ClusterShell } from '../../../../src/executors/remote/shell';

const answering = (stdout: string) =>
  ({ name: 'login', run: async () => ({ stdout, stderr: '' }) }) as unknown as ClusterShell;

it('reads what uname prints', async () =>
  expect(await clusterPlatform(answering('Linux\nx86_64\n'))).toEqual({ platform: 'linux', arch: 'x64' }));

it.each(['constructor\nconstructor\n', 'Linux\ntoString\n', '__proto__\nx86_64\n', '\n', 'SunOS\nsun4v\n'])(
  'refuses a system that no trainer runs on: %j',
  async (stdout) =>
    expect(clusterPlatform(answering(stdout))).rejects.toThrow('which AuroRA Lab cannot train on'),
);
