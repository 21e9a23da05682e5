import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { childEnvironment } from '../files/child-environment';
import type { GpuPart } from '../protocol/gpu-support';
import { packageFolder } from './gpu-folders';

/** A package's own install script, prepared to run under this Node. */
export interface Script {
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
}

const ARGS: Record<GpuPart, string[]> = {
  // Takes the platform's only version, CUDA 12; "=cuda12" is parsed and then ignored (1.30.0).
  cuda: ['script/install.js', '--onnxruntime-node-install'],
  tensorflow: ['scripts/install.js', 'gpu', 'download'],
};

/**
 * @param folder the copied part
 * @param temporary for the script's own temporary files
 * @param downloads the path to which watched.cjs writes
 */
export function installScript(
  part: GpuPart,
  folder: string,
  temporary: string,
  downloads: string,
  watched: string,
  from: NodeJS.ProcessEnv = process.env,
): Script {
  const programs = join(temporary, 'programs');
  if (part === 'tensorflow') writePrograms(programs, folder);
  // From an earlier choice, such as "skip", which would override ours.
  const env = Object.fromEntries(
    Object.entries(from).filter(([name]) => !/^(npm_config_)?onnxruntime_node_install/i.test(name)),
  );
  return {
    args: ARGS[part],
    cwd: packageFolder(folder, part),
    env: {
      ...env,
      ...proxies(from),
      PATH: [programs, from.PATH ?? from.Path].filter((p) => p).join(delimiter),
      TMPDIR: temporary,
      TEMP: temporary,
      TMP: temporary,
      AURORA_GPU_DOWNLOADS: downloads,
      NODE_OPTIONS: [from.NODE_OPTIONS, ...nodeOptions(watched)].filter((o) => o).join(' '),
    },
  };
}

/** Newer Nodes also trust the system's certificates, such as that of a company proxy. */
function nodeOptions(watched: string): string[] {
  const system = '--use-system-ca';
  const quoted = watched.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return [`--require "${quoted}"`, ...(process.allowedNodeEnvironmentFlags.has(system) ? [system] : [])];
}

/** Each script reads the proxy from a different variable; one that is set applies to all of them. */
export function proxies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const first = (...names: string[]) =>
    names.flatMap((n) => [env[n], env[n.toLowerCase()]]).find((value) => value);
  const http = ['HTTP_PROXY', 'GLOBAL_AGENT_HTTP_PROXY', 'npm_config_proxy'];
  const https = ['HTTPS_PROXY', 'GLOBAL_AGENT_HTTPS_PROXY', 'npm_config_https_proxy'];
  const proxy = first(...https, ...http);
  if (proxy === undefined) return {};
  const none = first('NO_PROXY', 'GLOBAL_AGENT_NO_PROXY', 'npm_config_noproxy');
  return {
    HTTPS_PROXY: proxy,
    GLOBAL_AGENT_HTTPS_PROXY: proxy,
    HTTP_PROXY: first(...http) ?? proxy,
    GLOBAL_AGENT_HTTP_PROXY: first(...http) ?? proxy,
    GLOBAL_AGENT_NO_PROXY: none,
  };
}

/** The script starts `node-pre-gyp`, and on Windows `node`, by name. */
function writePrograms(programs: string, folder: string): void {
  const preGyp = join(folder, 'node_modules/@mapbox/node-pre-gyp/index.js');
  mkdirSync(programs, { recursive: true });
  const windows = process.platform === 'win32';
  const write = (name: string, args: string[]) => {
    const path = join(programs, windows ? `${name}.cmd` : name);
    writeFileSync(path, launcherText([process.execPath, ...args], windows));
    chmodSync(path, 0o755);
  };
  write('node-pre-gyp', [preGyp]);
  write('node', []);
}

/** A file that runs a command with the arguments that follow it. */
export function launcherText(command: readonly string[], windows: boolean): string {
  const quote = (text: string) => (windows ? `"${text}"` : `'${text.replaceAll("'", `'\\''`)}'`);
  const words = command.map(quote);
  return windows ? `@${[...words, '%*'].join(' ')}\r\n` : `#!/bin/sh\nexec ${[...words, '"$@"'].join(' ')}\n`;
}

export interface RunningScript {
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; said: string }>;
  kill(): void;
}

/** The length of a script's output that is kept. */
const KEPT = 16 * 1024;

/** In this process's own group, so that ending the group ends the script as well. */
export function startScript({ args, cwd, env }: Script): RunningScript {
  const child = spawn(process.execPath, args, {
    cwd,
    env: childEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-KEPT)));
  return {
    ended: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal, said }));
    }),
    kill() {
      if (process.platform === 'win32' && child.pid !== undefined)
        spawn('taskkill', ['/T', '/F', '/PID', String(child.pid)], {
          // A folder other than the working folder, which Windows would search first.
          cwd: dirname(process.execPath),
          stdio: 'ignore',
          windowsHide: true,
          env: childEnvironment(),
        });
      // Its own children end when they see that their parent is gone: watched.ts.
      else child.kill('SIGKILL');
    },
  };
}
