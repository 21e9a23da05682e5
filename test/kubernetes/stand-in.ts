import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { KubectlCommands } from './kubectl-commands';
import type { SimulatedCluster } from './simulated-cluster';

/** Runs in the stand-in's own process: asks the test, prints what it answers, and runs what is to be executed in a pod. */
const SCRIPT = (port: number) => `#!${process.execPath}
const { request } = require('node:http');
const { spawn } = require('node:child_process');
const args = process.argv.slice(2);
const reads = args.includes('--filename=-');
let input = '';
const ask = () => {
  const call = request({ port: ${port}, method: 'POST' }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (part) => (text += part)).on('end', () => {
      const { code, stdout, stderr, exec } = JSON.parse(text);
      if (exec) return spawn(exec[0], exec.slice(1), { stdio: 'inherit' }).on('exit', (c) => process.exit(c ?? 1));
      process.stderr.write(stderr);
      process.stdout.write(stdout, () => process.exit(code));
    });
  });
  call.end(JSON.stringify({ args, input }));
};
if (reads) process.stdin.setEncoding('utf8').on('data', (part) => (input += part)).on('end', ask);
else ask();
`;

export interface StandIn {
  /** PATH with the stand-in before everything else. */
  path: string;
  commands: KubectlCommands;
  close(): Promise<void>;
}

/** A `kubectl` in the folder `bin`, which records its commands and answers from a simulated cluster. */
export async function standInKubectl(bin: string, cluster: SimulatedCluster): Promise<StandIn> {
  const commands = new KubectlCommands(cluster);
  const server: Server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const { args, input } = JSON.parse(text) as { args: string[]; input: string };
      response.end(JSON.stringify(commands.run(args, input)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  mkdirSync(bin, { recursive: true });
  const script = SCRIPT((server.address() as AddressInfo).port);
  writeFileSync(join(bin, 'kubectl'), script, { mode: 0o755 });
  return {
    path: `${bin}${delimiter}${process.env.PATH}`,
    commands,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
