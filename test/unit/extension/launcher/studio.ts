import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { DeviceSettings } from '../../../../src/extension/launcher/device-arguments';
import { Trainer, type TrainerHost } from '../../../../src/extension/launcher/trainer';
import { groupIsThere } from '../../../../src/files/processes';
import { readStatus } from '../../../../src/runs/status';
import { Lab } from '../../../cli/lab';
import { until } from '../../../until';

/** The default device settings. */
export const AUTO: DeviceSettings = { engine: 'onnxruntime', device: 'auto', fallBackToCpu: false };

/** A small experiment and a window's trainer client for it, with the built programs. */
export class Studio {
  readonly lab: Lab;
  readonly storage = mkdtempSync(join(tmpdir(), 'aurora-storage-'));
  readonly said: string[] = [];
  readonly begun: string[] = [];
  remembered: readonly string[] = [];

  constructor(settings: Record<string, unknown> = {}) {
    this.lab = new Lab(settings);
  }

  host(over: Partial<TrainerHost> = {}): TrainerHost {
    return {
      dist: resolve('dist'),
      storage: this.storage,
      version: '0.1.0',
      execPath: process.execPath,
      electron: undefined,
      trusted: () => true,
      settings: () => ({ nodePath: '', threads: 1, keepRunsAfterClose: false, cluster: {}, ...AUTO }),
      memory: { get: () => this.remembered, set: (runs) => (this.remembered = runs) },
      info: (message) => this.said.push(message),
      ...over,
    };
  }

  /** A window. A second one in the same workspace simulates a reload. */
  window(over: Partial<TrainerHost> = {}): Trainer {
    return new Trainer(this.host(over));
  }

  async start(trainer: Trainer, ...overrides: string[]): Promise<string> {
    const run = await trainer.start(this.lab.experiment, overrides);
    this.begun.push(run);
    return run;
  }

  folder(name: string): string {
    const path = this.lab.path(name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Ends everything that a test started. */
  async remove(): Promise<void> {
    for (const run of this.begun) {
      const pid = existsSync(run) ? readStatus(run)?.pid : undefined;
      if (pid === undefined || pid === process.pid || !(await groupIsThere(pid))) continue;
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        continue; // It has ended in the meantime.
      }
      await until(async () => !(await groupIsThere(pid)));
    }
    this.lab.remove();
    rmSync(this.storage, { recursive: true, force: true });
  }
}

/** Settings for training that would take an hour. */
export const LONG = ['training.epochs=100000', 'training.evaluateEvery=100000', 'training.checkpointEvery=5'];

export const stepOf = (run: string): number => readStatus(run)?.step ?? 0;

export const events = (run: string): { kind: string; [key: string]: unknown }[] =>
  readFileSync(join(run, 'events.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
