/** The settings that say where runs compute. */
export interface DeviceSettings {
  engine: string;
  device: string;
  fallBackToCpu: boolean;
}

/** What a new run, or a measurement before it, is told. */
export const deviceArguments = ({ engine, device, fallBackToCpu }: DeviceSettings): string[] => [
  '--engine',
  engine,
  '--device',
  device,
  ...(fallBackToCpu ? ['--fallback'] : []),
];

/**
 * What a fork is told: it stays on its run's device, so that only what was changed makes the difference, unless the
 * setting names another one.
 */
export const forkArguments = (settings: DeviceSettings): string[] =>
  settings.device === 'auto' ? (settings.fallBackToCpu ? ['--fallback'] : []) : deviceArguments(settings);

/** What a comparison of both engines is told: the device is that of the engine it belongs to. */
export const verifyArguments = ({ engine, device }: DeviceSettings): string[] =>
  device === 'auto' ? [] : [engine === 'tfjs' ? '--engine-device' : '--device', device];
