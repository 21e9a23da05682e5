/** The settings that select where runs compute. */
export interface DeviceSettings {
  engine: string;
  device: string;
  fallBackToCpu: boolean;
}

/** Arguments for a new run, or a measurement before it. */
export const deviceArguments = ({ engine, device, fallBackToCpu }: DeviceSettings): string[] => [
  '--engine',
  engine,
  '--device',
  device,
  ...(fallBackToCpu ? ['--fallback'] : []),
];

/**
 * Arguments for a fork: it stays on its run's device, so that only the changed settings make a difference, unless the
 * setting names another device.
 */
export const forkArguments = (settings: DeviceSettings): string[] =>
  settings.device === 'auto' ? (settings.fallBackToCpu ? ['--fallback'] : []) : deviceArguments(settings);

/** Arguments for a comparison of both engines: the device applies to the engine it belongs to. */
export const verifyArguments = ({ engine, device }: DeviceSettings): string[] =>
  device === 'auto' ? [] : [engine === 'tfjs' ? '--engine-device' : '--device', device];
